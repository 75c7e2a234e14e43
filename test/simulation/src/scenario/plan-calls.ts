import type { Random } from '../world/random.js'
import {
  type Action,
  faultsMs,
  leaseMs,
  mayCover,
  type RevokeAction,
  settledMs,
  type TokenOrder,
} from './action.js'

/**
 * Returns requests of services: most of them in flight when their token is revoked, and some one after the
 * other, before and after the revocation.
 */
export function planCalls(
  random: Random,
  tokens: readonly TokenOrder[],
  revocations: readonly RevokeAction[],
  faults: readonly Action[],
): Action[] {
  const calls: Action[] = []
  const service = (): 'node' | 'auth' =>
    mayCallAuth(faults) && random.chance(0.5) ? 'auth' : 'node'
  for (const { at, selector } of revocations) {
    const covered = tokens.filter((token) => mayCover(selector, token))
    const count = covered.length === 0 ? 0 : random.whole(1, 3)
    for (let call = 0; call < count; call++) {
      const beforeMs = random.pick([random.between(0, 15), random.between(0, 300)])
      const afterMs = random.pick([
        random.between(-10, 20),
        random.between(0, 200),
        random.between(0.6, 1.2) * leaseMs,
      ])
      const to = { service: service(), token: random.pick(covered) }
      calls.push(callOf(random, to, at - beforeMs, at + afterMs))
    }
    if (covered.length > 0 && random.chance(0.5)) {
      const to = { service: 'node' as const, token: random.pick(covered) }
      calls.push(...repeatedCalls(random, to, at))
    }
  }
  const at = random.between(settledMs, faultsMs)
  calls.push(callOf(random, { service: service(), token: random.pick(tokens) }, at, at + 30))
  return calls
}

/** Returns quick requests of one caller around the time of a revocation. */
function repeatedCalls(
  random: Random,
  to: { service: 'node'; token: TokenOrder },
  revokedAt: number,
): Action[] {
  const calls: Action[] = []
  let at = revokedAt - random.between(50, 400)
  while (at < revokedAt + 1.5 * leaseMs) {
    calls.push(callOf(random, to, at, at + random.between(0, 3)))
    at += random.between(20, 250)
  }
  return calls
}

/** Returns false if the registry's clock is set back, which delays its deadlines by the same time. */
export function mayCallAuth(faults: readonly Action[]): boolean {
  return !faults.some((fault) => fault.kind === 'step clock' && fault.ms < 0)
}

/** Returns a request whose head arrives at `at`, and the end of its body at `lastAt`. */
export function callOf(
  random: Random,
  { token, ...to }: { service: 'node' | 'auth'; host?: string; token: TokenOrder },
  at: number,
  lastAt: number,
): { at: number } & Extract<Action, { kind: 'call' }> {
  const from = Math.max(0, at)
  const ms = Math.max(0, lastAt - from)
  const first = random.between(0, 1) * ms
  return {
    at: from,
    kind: 'call',
    ...to,
    token: token.jti,
    pieces: random.chance(0.5) ? [first, ms - first] : [ms],
    write: random.chance(0.35)
      ? { kind: 'issue' }
      : { kind: 'register', identity: `identity${random.whole(1, 1e6)}` },
  }
}
