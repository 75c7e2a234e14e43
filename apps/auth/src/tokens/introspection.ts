import type { Active, Introspection } from '@portcullis/contracts/introspection'
import type { Registry } from '../registry/index.js'
import { type ActiveToken, introspect } from './introspect.js'
import type { Jwt } from './jwt.js'

/**
 * Returns the RFC 7662 responses for these tokens, in the same order: exactly `{"active":false}` for
 * every token that is not active, whatever the reason.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function introspectionResponses(
  registry: Registry,
  jwt: Jwt,
  tokens: readonly string[],
): Promise<Introspection[]> {
  const found = await introspect(registry, jwt, tokens)
  return found.map((active) => (active === undefined ? { active: false } : activeResponse(active)))
}

/** Returns the RFC 7662 response for an active token. */
export function activeResponse({ claims, record }: ActiveToken): Active {
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
