import { type ActiveRecord, introspect as ask, type Registry } from '../registry/index.js'
import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'
import { verify } from './verify.js'

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
  const claimed = tokens.map((token) => verify(jwt, token))
  const genuine = claimed.filter((claims) => claims !== undefined)
  const records = await ask(registry, genuine)
  const byClaims = new Map(genuine.map((claims, index) => [claims, records[index]] as const))
  return claimed.map((claims) => {
    const record = claims === undefined ? undefined : byClaims.get(claims)
    // The signature covers the subject, the registry knows it: should they differ, neither counts.
    if (claims === undefined || record === undefined || record.subject !== claims.sub)
      return undefined
    return { claims, record }
  })
}
