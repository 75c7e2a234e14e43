import { unreachable } from '../api/exchange.js'

/** A service's clock minus this machine's, in milliseconds, off by `uncertaintyMs` at most. */
export interface Offset {
  ms: number
  uncertaintyMs: number
}

export interface Probe {
  status: number
  /** Parsed JSON; undefined when it is none. */
  body: unknown
  /** From the answer's `Date` (RFC 9110 §6.6.1); undefined without one. */
  clock: Offset | undefined
}

const timeoutMs = 5000

/**
 * One GET without a token.
 * @throws CliError when there is no answer
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
    const clock = offsetOf(response.headers.get('date'), sentAt, roundTripMs)
    return { status: response.status, body: parsed(text), clock }
  } catch (error) {
    throw unreachable(service, base, error)
  }
}

function offsetOf(date: string | null, sentAt: number, roundTripMs: number): Offset | undefined {
  const there = Date.parse(date ?? '')
  if (Number.isNaN(there)) {
    return undefined
  }
  // It names a whole second: the moment was half a second later, give or take as much.
  return { ms: there + 500 - (sentAt + roundTripMs / 2), uncertaintyMs: 500 + roundTripMs / 2 }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
