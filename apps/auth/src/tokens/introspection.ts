import type { Active, Introspection } from '@portcullis/contracts/introspection'
import type { Registry } from '../registry/index.js'
import { type ActiveToken, introspect } from './introspect.js'
import type { Jwt } from './jwt.js'

/**
 * RFC 7662 answers for these tokens, in the same order: exactly `{"active":false}` for every token
 * that is not active, whatever the reason.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspections(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<Introspection[]> {
  const found = await introspect(registry, jwt, tokens)
  return found.map((active) => (active === undefined ? { active: false } : activeAnswer(active)))
}

/** The RFC 7662 answer for a token that is active. */
export function activeAnswer({ claims, record }: ActiveToken): Active {
  return {
    active: true,
    jti: claims.jti,
    client_id: claims.client_id,
    sub: claims.sub,
    scope: claims.scope,
    iat: claims.iat,
    exp: claims.exp,
    iss: claims.iss,
    aud: claims.aud,
    token_type: 'Bearer',
    issued_us: record.issuedUs,
    labels: record.labels,
    parents: record.parents,
  }
}
