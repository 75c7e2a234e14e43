import type { Random } from '../world/random.js'
import { type Action, type CallOrder, faultsMs, settledMs, type TokenOrder } from './action.js'
import { callOf, mayCallAuth } from './plan-calls.js'
import { selectorOf } from './plan-revocations.js'

type CallAction = { at: number } & Extract<Action, { kind: 'call' }>

/** The steps of a race: a request to one host, the revocation of its token, a fault of the host's Redis. */
interface Race {
  random: Random
  host: string
  at: number
  call(lastAt: number): CallAction
  revoke(at: number): Action
  block(from: number, ways: 'there' | 'back', ms: number): Action
}

/** Returns a race, or nothing: a host begins an effect while its token is revoked, during a fault. */
export function planRace(
  random: Random,
  tokens: readonly TokenOrder[],
  hosts: readonly string[],
  faults: readonly Action[],
): Action[] {
  if (random.chance(0.4)) {
    return []
  }
  const host = random.pick(hosts)
  const service: CallOrder['service'] = host.startsWith('auth') ? 'auth' : 'node'
  if (service === 'auth' && !mayCallAuth(faults)) {
    return []
  }
  const store = service === 'auth' ? 'registry' : 'broker'
  const token = random.pick(tokens)
  const { identity } = token
  const at = settledMs + random.between(0.2, 0.7) * faultsMs
  const race: Race = {
    random,
    host,
    at,
    call: (lastAt) => callOf(random, { service, host, token }, at - 60, lastAt),
    revoke: (revokeAt) => ({
      at: revokeAt,
      kind: 'revoke',
      selector: selectorOf(random, token),
      identity,
    }),
    block: (from, ways, ms) => ({ at: from, kind: 'block', from: host, to: store, ways, ms }),
  }
  const ms = random.pick([random.between(20, 200), random.between(650, 1500)])
  const races = [stopAtEffect, delayEffect, delayAnswer, stop]
  if (service === 'auth' && hosts.some((other) => other.startsWith('auth') && other !== host)) {
    races.push(delayRenewalThenEffect, delayRenewalThenEffect)
  }
  return random.pick(races)(race, ms)
}

function stopAtEffect({ random, host, at, call, revoke }: Race, ms: number): Action[] {
  return [
    { at: at - 20, kind: 'stop at effect', host, ms },
    call(at),
    revoke(at + random.between(0, 0.5) * ms),
  ]
}

function delayEffect({ random, at, call, revoke, block }: Race, ms: number): Action[] {
  return [block(at - 1, 'there', ms), call(at), revoke(at + random.between(0, 0.5) * ms)]
}

function delayAnswer({ random, at, call, revoke, block }: Race, ms: number): Action[] {
  return [
    block(at - 1, 'back', ms),
    call(at + random.between(0, 1) * ms),
    revoke(at + random.between(-5, 20)),
  ]
}

function stop({ random, host, at, call, revoke }: Race, ms: number): Action[] {
  return [
    { at: at - 1, kind: 'stop', host, ms },
    call(at + random.between(0, 60)),
    revoke(at + random.between(0, 100)),
  ]
}

/** Delays the answer to a renewal; right after the answer, delays an effect. */
function delayRenewalThenEffect({ random, at, call, revoke, block }: Race): Action[] {
  const lateMs = random.between(330, 390)
  const answeredAt = at + lateMs
  const revokedAt = at + random.between(100, lateMs - 90)
  const blockedAt = answeredAt + random.between(0.7, 1.5)
  const endsAt = random.between(revokedAt + 735, Math.max(revokedAt + 745, answeredAt + 640))
  // The first call makes the script and Redis' time known.
  const first = call(at - 20)
  return [
    first,
    block(at, 'back', lateMs),
    revoke(revokedAt),
    { ...first, pieces: [answeredAt + random.between(0.5, 1.3) - first.at] },
    block(blockedAt, 'there', endsAt - blockedAt),
  ]
}
