import { type ActiveRecord, introspect as findActive, type Registry } from '../registry/index.js'
import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'
import { verifySigned } from './verify.js'

/** An active token: its own claims, and the registry's record of it. */
export interface ActiveToken {
  claims: Claims
  record: ActiveRecord
}

/**
 * Returns the active tokens, in the order of `tokens`; undefined for each token that is not active.
 * One round trip to the registry, without tokens whose signature is invalid. A repeated token is
 * verified and looked up once.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspect(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<(ActiveToken | undefined)[]> {
  const distinct = [...new Set(tokens)]
  const signedTokens = distinct.flatMap((token) => {
    const signed = verifySigned(jwt, token)
    return signed === undefined ? [] : [{ token, ...signed }]
  })
  const records = await findActive(
    registry,
    signedTokens.map(({ claims: { jti, client_id }, kid }) => ({ jti, client_id, kid })),
  )
  const active = new Map<string, ActiveToken>()
  for (const [index, { token, claims }] of signedTokens.entries()) {
    const record = records[index]
    if (record !== undefined && matches(claims, record)) {
      active.set(token, { claims, record })
    }
  }
  return tokens.map((token) => active.get(token))
}

/**
 * Returns true if the token's claims match the registry's record. With a stolen signing key, an
 * attacker could otherwise sign a copy of a token with another subject or more scopes.
 */
function matches({ sub, scope }: Claims, { subject, scopes }: ActiveRecord): boolean {
  return subject === sub && scopes.join(' ') === scope
}
