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
 * those alike whose signature does not hold, which cost no question. One round trip for all others.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspect(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<(ActiveToken | undefined)[]> {
  const signed = tokens.map((token) => verifySigned(jwt, token))
  const genuine = signed.filter((one) => one !== undefined)
  const records = await ask(
    registry,
    genuine.map(({ claims: { jti, client_id }, kid }) => ({ jti, client_id, kid })),
  )
  const bySigned = new Map(genuine.map((one, index) => [one, records[index]] as const))
  return signed.map((one) => {
    const record = one === undefined ? undefined : bySigned.get(one)
    if (one === undefined || record === undefined || !agree(one.claims, record)) return undefined
    return { claims: one.claims, record }
  })
}

/**
 * The signature covers the subject and the scope, the registry knows them: should they differ, neither
 * counts. So whoever has got a signing key makes no token do more than it was issued for.
 */
function agree({ sub, scope }: Claims, { subject, scopes }: ActiveRecord): boolean {
  return subject === sub && scopes.join(' ') === scope
}
