import type { Identity } from '@portcullis/contracts/identities'
import { maxCredentialLength } from '@portcullis/contracts/oauth'
import { decodeJwt } from 'jose'
import { AuthError } from '../errors.js'
import { findSigner, type Registry } from '../registry/index.js'
import { acceptClientJwt, maxAheadSeconds } from './client-jwt.js'
import { type ClientAssertion, invalidClient } from './credentials.js'

/**
 * Authenticates a client by a JWT that it signed (`private_key_jwt`).
 *
 * @throws AuthError `invalid_client`: the same for an unknown identity and for a wrong signature, and
 * naming the broken rule to who has signed it; `unauthorized_client` only when the assertion is valid
 * @throws RegistryError `registry_unavailable`
 */
export async function authenticateByAssertion(
  registry: Registry,
  issuer: string,
  { assertion, identity: clientId }: ClientAssertion,
): Promise<Identity> {
  const claimed = claimedIdentity(assertion)
  if (claimed === undefined || (clientId !== undefined && clientId !== claimed)) {
    throw invalidAssertion(issuer)
  }
  const identity = await findSigner(registry, claimed)
  if (identity === undefined) {
    throw invalidAssertion(issuer)
  }
  // The revision of RFC 7523 requires `client-authentication+jwt`.
  const types = ['jwt', 'client-authentication+jwt']
  const outcome = await acceptClientJwt(registry, identity, { text: assertion, issuer, types })
  if (!('subject' in outcome)) {
    throw invalidAssertion(issuer, outcome.fault)
  }
  if (outcome.subject !== claimed) {
    throw invalidAssertion(issuer, 'its sub must be the client_id')
  }
  if (identity.state !== 'active') {
    throw new AuthError(
      'unauthorized_client',
      `identity "${claimed}" is suspended; resume it first`,
    )
  }
  return identity
}

/** Returns an assertion's unverified `iss`, to find the keys that it must be verified with. */
export function claimedIdentity(assertion: string): string | undefined {
  try {
    const { iss } = decodeJwt(assertion)
    return typeof iss === 'string' && iss.length <= maxCredentialLength ? iss : undefined
  } catch {
    return undefined
  }
}

/** @param fault - the rule that it breaks, known only for one that the identity has signed */
function invalidAssertion(issuer: string, fault?: string): AuthError {
  return invalidClient(
    fault !== undefined
      ? `the client assertion is not valid: ${fault}`
      : `the client assertion is not valid: it must be a JWT signed with a key of the identity's jwks, with iss and sub the client_id, aud only ${issuer}, exp at most ${maxAheadSeconds} seconds ahead, and a new jti`,
  )
}
