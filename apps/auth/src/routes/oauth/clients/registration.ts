import {
  type ClientAuthMethod,
  clientAuthMethods,
  type GrantType,
  grantTypes,
  type RegisterClient,
} from '@portcullis/contracts/clients'
import { maxScopes, parseScope } from '@portcullis/contracts/scopes'
import { clientKeys } from '../../../callers/client-keys.js'
import { AuthError } from '../../../errors.js'
import type { Registration } from '../../../registry/index.js'

/**
 * What a client's metadata (RFC 7591 §2) come to. What it does not say gets its default; what cannot
 * be as it says is refused, not replaced.
 *
 * @throws AuthError `invalid_client_metadata`, `invalid_redirect_uri`; `invalid_request` of `clientKeys`
 */
export async function registrationOf(metadata: RegisterClient): Promise<Registration> {
  refuseRedirects(metadata)
  if (metadata.jwks_uri !== undefined) {
    throw wrong('jwks_uri is not supported: nothing is fetched on a client\'s behalf; send "jwks"')
  }
  const method = methodOf(metadata)
  if (method === 'private_key_jwt' && metadata.jwks === undefined) {
    throw wrong('private_key_jwt needs the public keys of the client as "jwks"')
  }
  return {
    scopes: scopesOf(metadata),
    ...(metadata.jwks === undefined ? {} : { jwks: await clientKeys(metadata.jwks) }),
    client: {
      ...(metadata.client_name === undefined ? {} : { client_name: metadata.client_name }),
      token_endpoint_auth_method: method,
      grant_types: grantsOf(metadata),
    },
  }
}

function refuseRedirects({ redirect_uris = [], response_types = [] }: RegisterClient): void {
  if (redirect_uris.length > 0) {
    throw new AuthError(
      'invalid_redirect_uri',
      'there is no authorization endpoint, so nobody is redirected; leave redirect_uris out',
    )
  }
  if (response_types.length > 0) {
    throw wrong('there is no authorization endpoint; leave response_types out, or empty')
  }
}

function methodOf({ token_endpoint_auth_method: asked }: RegisterClient): ClientAuthMethod {
  if (asked === undefined) {
    return 'client_secret_basic'
  }
  const known = clientAuthMethods.find((method) => method === asked)
  if (known !== undefined) {
    return known
  }
  throw wrong(`token_endpoint_auth_method must be one of ${clientAuthMethods.join(', ')}`)
}

function grantsOf({ grant_types: asked = ['client_credentials'] }: RegisterClient): GrantType[] {
  const wanted = new Set(asked)
  const known = grantTypes.filter((grant) => wanted.has(grant))
  if (known.length === wanted.size) {
    return known
  }
  throw wrong(`grant_types must be of ${grantTypes.join(', ')}`)
}

function scopesOf({ scope = '' }: RegisterClient): string[] {
  const scopes = parseScope(scope)
  if (scopes === undefined || scopes.length > maxScopes) {
    throw wrong(`scope must be known scopes, ${maxScopes} at most, separated by single spaces`)
  }
  return [...scopes]
}

function wrong(message: string): AuthError {
  return new AuthError('invalid_client_metadata', message)
}
