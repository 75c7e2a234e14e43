import { type GrantType, grantTypes } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { TokenRequest } from '@portcullis/contracts/oauth'
import { TokenResponse } from '@portcullis/contracts/tokens'
import { Type } from '@sinclair/typebox'
import { noteIssued } from '../../audit/note-issued.js'
import { AuthError } from '../../errors.js'
import { oauthErrorResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { clientCredentials } from './client-credentials.js'
import { exchangeToken } from './exchange-token.js'
import type { GrantHandler } from './grant.js'

const Response = Type.Composite([
  TokenResponse,
  Type.Object({ issued_token_type: Type.Optional(Type.String()) }),
])

const handlers: Readonly<Record<GrantType, GrantHandler>> = {
  client_credentials: clientCredentials,
  'urn:ietf:params:oauth:grant-type:token-exchange': exchangeToken,
}

/** `POST /oauth/token`: client credentials (RFC 6749 §4.4) and token exchange (RFC 8693). */
export const issueToken: Route = async (app) => {
  app.post(
    '/oauth/token',
    {
      config: { audit: 'token.issue' },
      schema: {
        summary: 'Get a token for an identity, or for one of its users',
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenRequest,
        response: { 200: Response, ...oauthErrorResponses },
      },
    },
    async (request) => {
      const grant = grantOf(request.body.grant_type)
      const identity = await app.authenticateClient(request, request.body)
      requireGrant(identity, grant)
      const token = await handlers[grant](app, request, identity)
      noteIssued(request, token)
      return token
    },
  )
}

function grantOf(asked: string): GrantType {
  const known = grantTypes.find((grant) => grant === asked)
  if (known !== undefined) {
    return known
  }
  throw new AuthError('unsupported_grant_type', `grant_type must be ${grantTypes.join(' or ')}`)
}

/** Refuses grants that a client did not list at its registration (RFC 7591 §2). */
function requireGrant({ client }: Identity, grant: GrantType): void {
  if (client === undefined || client.grant_types.includes(grant)) {
    return
  }
  throw new AuthError(
    'unauthorized_client',
    `the client has not registered the grant type ${grant}; add it to its grant_types`,
  )
}
