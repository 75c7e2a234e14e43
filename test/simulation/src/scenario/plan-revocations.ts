import type { Selector } from '@portcullis/contracts/revocations'
import type { Random } from '../world/random.js'
import { type Action, faultsMs, type RevokeAction, settledMs, type TokenOrder } from './action.js'

/** Returns one to six revocations, many of them close to a fault. */
export function planRevocations(
  random: Random,
  tokens: readonly TokenOrder[],
  faults: readonly Action[],
): RevokeAction[] {
  return Array.from({ length: random.whole(1, 6) }, () => {
    const token = random.chance(0.4) ? random.pick(tokens.slice(-3)) : random.pick(tokens)
    const { identity } = token
    const near = faults.length > 0 && random.chance(0.6) ? random.pick(faults) : undefined
    const after = near !== undefined && 'ms' in near ? near.ms : 0
    const at =
      near === undefined
        ? settledMs + random.between(0, faultsMs)
        : near.at + random.pick([random.between(-30, 30), random.between(0, 0.7) * after])
    return {
      at: Math.max(settledMs, at),
      kind: 'revoke' as const,
      selector: selectorOf(random, token),
      identity,
    }
  })
}

/** Returns a random selector that covers the token. */
export function selectorOf(
  random: Random,
  { jti, identity, subject, labels }: TokenOrder,
): Selector {
  const [label = 'phone'] = labels
  if (random.chance(0.06)) {
    return { all: true }
  }
  return random.pick<Selector>([
    { jti },
    { jti },
    { jti, cascade: true },
    { identity, subject },
    { identity, label },
    { identity },
  ])
}
