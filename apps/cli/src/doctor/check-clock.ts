import { span } from '../output/time.js'
import { type Check, failed, ok, warning } from './check.js'
import type { Offset } from './probe.js'

/** Beyond these a token ends noticeably too early or too late. */
const noticeableMs = 2000
const harmfulMs = 30_000

/**
 * Whether a service's clock agrees with auth's. The guarantee compares no clocks; but a token's `exp` is
 * wall time: it ends too early where a clock is ahead of auth's, and too late where one is behind.
 */
export function checkClock(name: string, whose: string, offset: Offset): Check {
  const off = beyondDoubt(offset)
  if (off <= noticeableMs) {
    return ok(name, 'agrees with auth')
  }
  const [direction, when] = offset.ms > 0 ? ['ahead of', 'early'] : ['behind', 'late']
  const found = `${whose} is ${span(Math.abs(offset.ms) / 1000)} ${direction} auth`
  const advice = `synchronise the clocks (NTP): tokens end too ${when} there`
  return off > harmfulMs ? failed(name, found, advice) : warning(name, found, advice)
}

/** Whether auth's clock agrees with this machine's: nothing but what is shown depends on it. */
export function checkOwnClock(offset: Offset): Check {
  if (beyondDoubt(offset) <= noticeableMs) {
    return ok('clock', 'agrees with auth')
  }
  const direction = offset.ms > 0 ? 'behind' : 'ahead of'
  const found = `this machine is ${span(Math.abs(offset.ms) / 1000)} ${direction} auth`
  return warning('clock', found, 'synchronise the clocks (NTP): times are shown wrong here')
}

function beyondDoubt({ ms, uncertaintyMs }: Offset): number {
  return Math.max(0, Math.abs(ms) - uncertaintyMs)
}

/** How far one is from another, both seen from here. */
export function between(one: Offset, other: Offset): Offset {
  return { ms: one.ms - other.ms, uncertaintyMs: one.uncertaintyMs + other.uncertaintyMs }
}
