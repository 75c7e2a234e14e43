const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const

/** A span of seconds by its two largest units: `1h 5m`. */
export function span(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds))
  const parts: string[] = []
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break
  }
  return parts.join(' ') || '0s'
}

/** A moment in Unix milliseconds as seen from `now`: `5m ago`, `in 1h 5m`. */
export function relative(at: number, now = Date.now()): string {
  const seconds = Math.round((at - now) / 1000)
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`
}

/** Time of day with milliseconds, in local time. */
export function clock(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
