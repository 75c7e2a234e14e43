import { InvalidArgumentError } from 'commander'

/** Returns a parser of whole numbers from `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) {
      return value
    }
    throw new InvalidArgumentError(`Use a whole number, ${min} or more.`)
  }
}

/** Parses a time: Unix milliseconds, or an ISO 8601 date and time. */
export function timestamp(text: string): number {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  // The limits of auth: a time in seconds or microseconds is outside.
  if (at >= 1_000_000_000_000 && at <= 9_999_999_999_999) {
    return at
  }
  throw new InvalidArgumentError(
    'Use Unix milliseconds (13 digits), or a time like 2026-01-31T12:00:00Z.',
  )
}

/** Collects the values of a repeatable option. */
export function collect(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), text]
}
