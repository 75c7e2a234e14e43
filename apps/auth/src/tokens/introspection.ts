import type { Introspection } from '@portcullis/contracts'
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
  return found.map((active) => (active === undefined ? { active: false } : answer(active)))
}

function answer({ claims, record }: ActiveToken): Introspection {
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
  }
}
