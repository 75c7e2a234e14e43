import { randomBytes } from 'node:crypto'
import type { ClientKeys, ClientMetadata } from '@portcullis/contracts/clients'
import { defined } from '@portcullis/contracts/defined'
import type { Identity } from '@portcullis/contracts/identities'
import { createIdentity } from '../identities/create.js'
import { newRegistrationCode } from '../identities/registration-code.js'
import type { Registry } from '../registry.js'

/** A client's registration, validated. */
export interface Registration {
  scopes: string[]
  jwks?: ClientKeys
  client: ClientMetadata
}

export interface RegisteredClient {
  identity: Identity
  /** Shown only here. A client with `private_key_jwt` has none. */
  registrationCode?: string
  /** The registration access token (RFC 7592); shown only here. */
  registrationToken: string
}

/** Returns true when a client authenticates with a registration code. */
export function hasCode({ token_endpoint_auth_method: method }: ClientMetadata): boolean {
  return method !== 'private_key_jwt'
}

/**
 * Creates an identity under a generated name from the metadata of an OAuth client.
 *
 * @param ceiling - scopes that bound its credentials, even if the identity gets more scopes later
 */
export async function registerClient(
  registry: Registry,
  registration: Registration,
  ceiling: readonly string[],
): Promise<RegisteredClient> {
  const registrationCode = hasCode(registration.client) ? newRegistrationCode() : undefined
  const registrationToken = newRegistrationCode()
  const name = `client-${randomBytes(16).toString('base64url')}`
  const identity = await createIdentity(
    registry,
    { identity: name, ...registration },
    { registrationCode, registrationToken, ceiling },
  )
  return {
    identity,
    registrationToken,
    ...defined({ registrationCode }),
  }
}
