import { IdentityName } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import { AuthError } from '../../../errors.js'

export const ClientParams = Type.Object({ client_id: IdentityName })

/** The registration access token that a request shows (RFC 7592 §2); '' when it shows none. */
export function registrationToken(authorization: string | undefined): string {
  return /^bearer +([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(authorization ?? '')?.[1] ?? ''
}

/**
 * What was found by the token. 401 alike when the token is wrong and when there is no such client
 * (RFC 7592 §2.1).
 *
 * @throws AuthError `invalid_token`
 */
export function required<Found>(found: Found | undefined): Found {
  if (found !== undefined) return found
  throw new AuthError(
    'invalid_token',
    'send the registration_access_token of this client as "Authorization: Bearer <token>"',
    { headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' } },
  )
}
