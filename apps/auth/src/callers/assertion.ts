import type { Identity } from '@portcullis/contracts/identities'
import { decodeJwt } from 'jose'
import { AuthError } from '../errors.js'
import { findSigner, type Registry } from '../registry/index.js'
import { maxAheadSeconds, takeClientJwt } from './client-jwt.js'
import { invalidClient, type ShownAssertion } from './credentials.js'

/**
 * Checks a client's own JWT (`private_key_jwt`).
 *
 * @throws AuthError `invalid_client`, alike for an unknown identity and for an assertion that is not
 * valid, or was used; `unauthorized_client` only to someone whose assertion is right
 * @throws RegistryError `registry_unavailable`
 */
export async function authenticateByAssertion(
  registry: Registry,
  issuer: string,
  { assertion, identity: named }: ShownAssertion,
): Promise<Identity> {
  const claimed = claimedBy(assertion)
  if (claimed === undefined || (named !== undefined && named !== claimed)) {
    throw refused(issuer)
  }
  const identity = await findSigner(registry, claimed)
  if (identity === undefined) {
    throw refused(issuer)
  }
  // `client-authentication+jwt` is what the revision of RFC 7523 asks for.
  const types = ['jwt', 'client-authentication+jwt']
  const subject = await takeClientJwt(registry, identity, { text: assertion, issuer, types })
  if (subject !== claimed) {
    throw refused(issuer)
  }
  if (identity.state !== 'active') {
    throw new AuthError(
      'unauthorized_client',
      `identity "${claimed}" is suspended; resume it first`,
    )
  }
  return identity
}

/** Whose keys to look at. Nothing is believed of it: the same name is checked with the signature. */
export function claimedBy(assertion: string): string | undefined {
  try {
    const { iss } = decodeJwt(assertion)
    return typeof iss === 'string' && iss.length <= 384 ? iss : undefined
  } catch {
    return undefined
  }
}

function refused(issuer: string): AuthError {
  return invalidClient(
    `the client assertion is not valid: a JWT signed with a key of the identity's jwks, iss and sub the client_id, aud ${issuer} alone, exp ${maxAheadSeconds} seconds ahead at most, and a jti that was not used before`,
  )
}
