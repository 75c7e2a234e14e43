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
  return found.map((active) =>
    active === undefined ? { active: false } : activeResponse(jwt, active),
  )
}

/** Returns the RFC 7662 response for an active token. */
export function activeResponse(
  { issuer, audience }: Pick<Jwt, 'issuer' | 'audience'>,
  { claims, record }: ActiveToken,
): Active {
  return {
    active: true,
    jti: claims.jti,
    client_id: claims.client_id,
    sub: record.subject,
    scope: record.scope,
    iat: Math.floor(record.issuedUs / 1_000_000),
    exp: record.expiresAt / 1000,
    iss: issuer,
    aud: audience,
    token_type: 'Bearer',
    issued_us: record.issuedUs,
    expires_in_ms: record.leftMs,
    labels: record.labels,
    parents: record.parents,
  }
}
