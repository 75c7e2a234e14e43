import {
  type ClientAuthMethod,
  clientAuthMethods,
  type GrantType,
  grantTypes,
  type RegisterClient,
} from '@portcullis/contracts/clients'
import { defined } from '@portcullis/contracts/defined'
import { maxScopes, parseScope } from '@portcullis/contracts/scopes'
import { checkClientKeys } from '../../../callers/client-keys.js'
import { AuthError } from '../../../errors.js'
import type { Registration } from '../../../registry/index.js'

/**
 * Reads a client's metadata (RFC 7591 §2). Absent members get their defaults; unsupported values are
 * refused, not replaced.
 *
 * @throws AuthError `invalid_client_metadata`, `invalid_redirect_uri`; `invalid_request` of
 * `checkClientKeys`
 */
export async function registrationOf(metadata: RegisterClient): Promise<Registration> {
  refuseRedirects(metadata)
  if (metadata.jwks_uri !== undefined) {
    throw invalidMetadata('jwks_uri is not supported; send the public keys as "jwks"')
  }
  const method = methodOf(metadata)
  if (method === 'private_key_jwt' && metadata.jwks === undefined) {
    throw invalidMetadata('private_key_jwt needs the public keys of the client as "jwks"')
  }
  const scopes = scopesOf(metadata)
  const jwks = metadata.jwks === undefined ? undefined : await checkClientKeys(metadata.jwks)
  return {
    scopes,
    ...defined({ jwks }),
    client: {
      ...defined({ client_name: metadata.client_name }),
      token_endpoint_auth_method: method,
      grant_types: grantsOf(metadata),
    },
  }
}

function refuseRedirects({ redirect_uris = [], response_types = [] }: RegisterClient): void {
  if (redirect_uris.length > 0) {
    throw new AuthError(
      'invalid_redirect_uri',
      'redirect_uris are not supported, because there is no authorization endpoint; leave them out',
    )
  }
  if (response_types.length > 0) {
    throw invalidMetadata(
      'response_types must be empty, because there is no authorization endpoint; leave them out',
    )
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
  throw invalidMetadata(`token_endpoint_auth_method must be one of ${clientAuthMethods.join(', ')}`)
}

function grantsOf({ grant_types: asked = ['client_credentials'] }: RegisterClient): GrantType[] {
  const wanted = new Set(asked)
  const known = grantTypes.filter((grant) => wanted.has(grant))
  if (known.length === wanted.size) {
    return known
  }
  throw invalidMetadata(`grant_types must be some of ${grantTypes.join(', ')}`)
}

function scopesOf({ scope = '' }: RegisterClient): string[] {
  const scopes = parseScope(scope)
  if (scopes === undefined || scopes.length > maxScopes) {
    throw invalidMetadata(
      `scope must be at most ${maxScopes} known scopes, separated by single spaces`,
    )
  }
  return [...scopes]
}

function invalidMetadata(message: string): AuthError {
  return new AuthError('invalid_client_metadata', message)
}
