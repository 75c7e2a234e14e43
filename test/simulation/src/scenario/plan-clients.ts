import type { Random } from '../world/random.js'
import {
  type Action,
  faultsMs,
  mayCover,
  type RevokeAction,
  settledMs,
  type TokenOrder,
  tokenId,
} from './action.js'

/** Returns what clients do: connect, vanish, refresh their token. */
export function planClients(
  random: Random,
  clients: number,
  tokens: readonly TokenOrder[],
  revocations: readonly RevokeAction[],
): Action[] {
  const actions: Action[] = []
  for (let client = 0; client < clients; client++) {
    const token = random.pick(tokens)
    actions.push({
      at: random.between(20, 400),
      kind: 'connect',
      client,
      token: token.jti,
    })
    if (random.chance(0.3)) {
      actions.push({
        at: settledMs + random.between(0, faultsMs),
        kind: 'vanish',
        client,
      })
    }
    const next = tokens.find(
      ({ jti, identity, subject }) =>
        jti !== token.jti && identity === token.identity && subject === token.subject,
    )
    if (next !== undefined && random.chance(0.6)) {
      actions.push({
        at: settledMs + random.between(0, faultsMs),
        kind: 'refresh',
        client,
        token: next.jti,
      })
    }
  }
  actions.push(...planRacers(random, { clients, planned: actions.length }, tokens, revocations))
  return actions
}

/** Returns clients that connect around the revocation of their token, or with a token issued after it. */
function planRacers(
  random: Random,
  { clients, planned }: { clients: number; planned: number },
  tokens: readonly TokenOrder[],
  revocations: readonly RevokeAction[],
): Action[] {
  const actions: Action[] = []
  for (const { at, selector } of revocations) {
    const covered = tokens.filter((token) => mayCover(selector, token))
    const racers = random.chance(0.7) ? random.whole(1, 3) : 0
    for (let racer = 0; racer < racers && covered.length > 0; racer++) {
      actions.push({
        at: Math.max(0, at + random.between(-12, 6)),
        kind: 'connect',
        client: clients + planned + actions.length,
        token: random.pick(covered).jti,
      })
    }
    // A token issued after the cut-off stays active.
    if (random.chance(0.3) && covered.length > 0) {
      const order = random.pick(covered)
      const jti = tokenId(Number(order.jti[0]), `new${planned + actions.length}`)
      actions.push({
        at: at + random.between(5, 200),
        kind: 'issue',
        token: { ...order, jti, parents: [] },
      })
    }
  }
  return actions
}
