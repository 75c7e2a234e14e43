import { type ActiveRecord, introspect as ask, type Registry } from '../registry/index.js'
import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'
import { verifySigned } from './verify.js'

/** A token that is active now: what it says of itself, and what the registry says of it. */
export interface ActiveToken {
  claims: Claims
  record: ActiveRecord
}

/**
 * Which of these tokens are active, in the same order; undefined for those that are not, and for
 * those alike whose signature does not hold, which cost no question. One round trip for all others. A
 * token that is named several times is verified and asked about once.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspect(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<(ActiveToken | undefined)[]> {
  const distinct = [...new Set(tokens)]
  const genuine = distinct.flatMap((token) => {
    const signed = verifySigned(jwt, token)
    return signed === undefined ? [] : [{ token, ...signed }]
  })
  const records = await ask(
    registry,
    genuine.map(({ claims: { jti, client_id }, kid }) => ({ jti, client_id, kid })),
  )
  const active = new Map<string, ActiveToken>()
  for (const [index, { token, claims }] of genuine.entries()) {
    const record = records[index]
    if (record !== undefined && agree(claims, record)) {
      active.set(token, { claims, record })
    }
  }
  return tokens.map((token) => active.get(token))
}

/**
 * The signature covers the subject and the scope, the registry knows them: should they differ, neither
 * counts. So whoever has got a signing key makes no token do more than it was issued for.
 */
function agree({ sub, scope }: Claims, { subject, scopes }: ActiveRecord): boolean {
  return subject === sub && scopes.join(' ') === scope
}
