import { byPlace } from '@portcullis/contracts/connections'
import type { Connections, Inquire } from '@portcullis/contracts/feed'
import { coversToken } from '@portcullis/contracts/revocations'
import type { LiveGrant } from './grant.js'

type Token = Connections['tokens'][number]

/**
 * Answers an inquiry. `grants` has at least every grant that the selector covers. Keeps at most twice
 * `limit` tokens in memory.
 */
export function countConnections(
  grants: readonly LiveGrant[],
  { selector, limit, after }: Pick<Inquire, 'selector' | 'limit' | 'after'>,
): Pick<Connections, 'connections' | 'tokens'> {
  const event = { selector, cutoffUs: Number.MAX_SAFE_INTEGER }
  const kept = new Map<string, Token>()
  /** The `limit`th token so far: later tokens are not part of the answer. */
  let last: Token | undefined
  let sum = 0
  for (const grant of grants) {
    const { jti, issuedUs, connections, since } = grant
    if (connections === 0 || !coversToken(event, grant)) {
      continue
    }
    sum += connections
    if (after !== undefined && byPlace(grant, after) <= 0) {
      continue
    }
    if (last !== undefined && byPlace(grant, last) > 0) {
      continue
    }
    const token = kept.get(jti)
    if (token !== undefined) {
      token.connections += connections
      token.since = Math.min(token.since, since)
      continue
    }
    kept.set(jti, { jti, issuedUs, connections, since })
    if (kept.size < 2 * limit) {
      continue
    }
    const first = [...kept.values()].sort(byPlace).slice(0, limit)
    last = first.at(-1)
    kept.clear()
    for (const token of first) {
      kept.set(token.jti, token)
    }
  }
  return { connections: sum, tokens: [...kept.values()].sort(byPlace).slice(0, limit) }
}
