import { span } from '../output/time.js'
import { type Check, failed, ok, warning } from './check.js'
import type { ClockOffset } from './probe.js'

/** From these offsets on, people notice wrong times, and signed requests are refused. */
const noticeableMs = 2000
const harmfulMs = 30_000

/**
 * Compares the clock of a service with auth's. Revocations and the expiry of tokens depend on no two
 * clocks that agree. What others compare does: logs, times in requests to the server API, and `exp` in
 * what clients sign, or verify with the JWKS.
 */
export function checkClock(name: string, service: string, offset: ClockOffset): Check {
  const off = certainMs(offset)
  if (off <= noticeableMs) {
    return ok(name, 'agrees with auth')
  }
  const direction = offset.ms > 0 ? 'ahead of' : 'behind'
  const found = `${service} is ${span(Math.abs(offset.ms) / 1000)} ${direction} auth`
  const advice = 'synchronise the clocks (NTP): logs and expire_at are wrong there'
  return off > harmfulMs ? failed(name, found, advice) : warning(name, found, advice)
}

/** Compares this machine's clock with auth's; only the times that the command shows depend on it. */
export function checkOwnClock(offset: ClockOffset): Check {
  if (certainMs(offset) <= noticeableMs) {
    return ok('clock', 'agrees with auth')
  }
  const direction = offset.ms > 0 ? 'behind' : 'ahead of'
  const found = `this machine is ${span(Math.abs(offset.ms) / 1000)} ${direction} auth`
  return warning('clock', found, 'synchronise the clocks (NTP): this command shows wrong times')
}

function certainMs({ ms, uncertaintyMs }: ClockOffset): number {
  return Math.max(0, Math.abs(ms) - uncertaintyMs)
}

/** Returns the offset between two services, from their offsets to this machine. */
export function between(one: ClockOffset, other: ClockOffset): ClockOffset {
  return { ms: one.ms - other.ms, uncertaintyMs: one.uncertaintyMs + other.uncertaintyMs }
}
