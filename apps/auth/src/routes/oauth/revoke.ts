import { RevokeRequest } from '@portcullis/contracts/oauth'
import { Type } from '@sinclair/typebox'
import { AuthError } from '../../errors.js'
import { revoke as commitRevocation } from '../../registry/index.js'
import { verify } from '../../tokens/verify.js'
import { oauthErrorResponses } from '../response-schemas.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'

/**
 * `POST /oauth/revoke` (RFC 7009): a client revokes a token of its own, and its sockets close. What the
 * token has issued goes with it, as what rests on the same grant does in §2.1: a client says here that
 * the token is stolen as well as that it is done with. A token
 * that is no token of ours, or none any more, is answered with 200 like one that was revoked (§2.2).
 *
 * One of another client is refused (§2.1), which discloses nothing: whoever sends it holds all of it,
 * `client_id` included, and the answer says nothing about its state. With 200 a client would believe
 * a token gone that lives on.
 */
export const revoke: Route = async (app) => {
  app.post(
    '/oauth/revoke',
    {
      config: { audit: 'revocation.create' },
      schema: {
        summary: "Revoke a token of the client's own, and everything that it has issued",
        consumes: ['application/x-www-form-urlencoded'],
        body: RevokeRequest,
        response: {
          200: Type.String({ maxLength: 0, description: 'nothing' }),
          ...oauthErrorResponses,
        },
      },
    },
    async (request, reply) => {
      const { identity } = await app.authenticateClient(request, request.body)
      const claims = verify(app.tokens, request.body.token)
      if (claims === undefined) {
        return reply.send('')
      }
      request.audit.target.jti = claims.jti
      request.audit.detail['cascade'] = true
      if (claims.client_id !== identity) {
        throw new AuthError(
          'unauthorized_client',
          'the token was issued to another client; only that one can revoke it here',
        )
      }
      // Revoked already or not: a node may not have heard of it.
      const { id, tokens, parts } = await commitRevocation(app.registry, {
        selector: { jti: claims.jti, cascade: true },
      })
      request.audit.target.revocation = id
      request.audit.detail['tokens'] = tokens
      app.meters.revocations.inc({ selector: 'jti_cascade' })
      await awaitConfirmations(app, { id, parts })
      return reply.send('')
    },
  )
}
