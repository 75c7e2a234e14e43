import { randomBytes } from 'node:crypto'
import type { ClientKeys, ClientMetadata } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { createIdentity } from '../identities/create.js'
import { newRegistrationCode } from '../identities/registration-code.js'
import type { Registry } from '../registry.js'

/** A client's registration, checked. */
export interface Registration {
  scopes: string[]
  jwks?: ClientKeys
  client: ClientMetadata
}

export interface RegisteredClient {
  identity: Identity
  /** Shown this once. A client that signs has none. */
  registrationCode?: string
  /** Lets it look after its own registration (RFC 7592); shown this once. */
  registrationToken: string
}

/** Whether a client authenticates itself with a registration code. */
export function hasCode({ token_endpoint_auth_method: method }: ClientMetadata): boolean {
  return method !== 'private_key_jwt'
}

/**
 * Creates an identity under a name of the registry's choosing, with what an OAuth client says of itself.
 *
 * @param ceiling - scopes that its proofs are good for at most, whatever the identity gets later
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
    ...(registrationCode === undefined ? {} : { registrationCode }),
  }
}
