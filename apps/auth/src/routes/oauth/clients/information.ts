import type { ClientInformation } from '@portcullis/contracts/clients'
import { defined } from '@portcullis/contracts/defined'
import type { Identity } from '@portcullis/contracts/identities'
import type { FastifyInstance } from 'fastify'
import { endpoints } from '../../../endpoints.js'

/** Secrets of which auth stores only hashes: just created, or just sent by the client. */
export interface ClientSecrets {
  registrationToken: string
  registrationCode?: string
}

/** Returns the client information of RFC 7591 §3.2.1 and RFC 7592 §3. */
export function informationOf(
  app: Pick<FastifyInstance, 'tokens'>,
  { identity, createdAt, scopes, jwks, client }: Identity,
  { registrationToken, registrationCode }: ClientSecrets,
): ClientInformation {
  return {
    client_id: identity,
    client_id_issued_at: Math.floor(createdAt / 1000),
    ...(registrationCode === undefined
      ? {}
      : { client_secret: registrationCode, client_secret_expires_at: 0 }),
    registration_access_token: registrationToken,
    registration_client_uri: `${endpoints(app.tokens.issuer).registration}/${encodeURIComponent(identity)}`,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    ...client,
    response_types: [],
    scope: scopes.join(' '),
    ...defined({ jwks }),
  }
}
