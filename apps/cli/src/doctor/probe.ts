import { parseJson, unreachable } from '../api/http.js'

/** The clock of a service minus this machine's clock, in milliseconds, ± `uncertaintyMs`. */
export interface ClockOffset {
  ms: number
  uncertaintyMs: number
}

export interface Probe {
  status: number
  /** Parsed JSON; undefined when the body is not JSON. */
  body: unknown
  /** From the `Date` header (RFC 9110 §6.6.1); undefined without one. */
  clock: ClockOffset | undefined
}

const timeoutMs = 5000

/**
 * Sends one GET request without a token.
 *
 * @throws CliError when no response arrives
 */
export async function probe(
  service: 'auth' | 'realtime',
  base: string,
  path: string,
): Promise<Probe> {
  const sentAt = Date.now()
  try {
    const response = await fetch(`${base}${path}`, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const roundTripMs = Date.now() - sentAt
    const text = await response.text()
    const clock = clockOffset(response.headers.get('date'), sentAt, roundTripMs)
    return { status: response.status, body: parseJson(text), clock }
  } catch (error) {
    throw unreachable(service, base, error)
  }
}

function clockOffset(
  date: string | null,
  sentAt: number,
  roundTripMs: number,
): ClockOffset | undefined {
  const there = Date.parse(date ?? '')
  if (Number.isNaN(there)) {
    return undefined
  }
  // `Date` is cut to whole seconds, so the true time is 500 ms later, ± 500 ms.
  return { ms: there + 500 - (sentAt + roundTripMs / 2), uncertaintyMs: 500 + roundTripMs / 2 }
}
