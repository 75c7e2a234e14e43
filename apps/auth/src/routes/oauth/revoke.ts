import { briefTokenSeconds, RevokeRequest } from '@portcullis/contracts/oauth'
import { permits } from '@portcullis/contracts/scopes'
import { Type } from '@sinclair/typebox'
import { AuthError } from '../../errors.js'
import { revoke as commitRevocation } from '../../registry/index.js'
import type { Claims } from '../../tokens/claims.js'
import { verify } from '../../tokens/verify.js'
import { oauthErrorResponses } from '../response-schemas.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'

/**
 * `POST /oauth/revoke` (RFC 7009): revokes a client's own token, and closes the token's sockets.
 * Also revokes every token that it has issued, as §2.1 does for tokens of the same grant, because
 * the token may be stolen. An unknown or expired token is answered with 200, like a revoked one
 * (§2.2).
 *
 * Another client's token is refused (§2.1). With 200, the client would believe that a live token
 * was revoked. The refusal discloses nothing: the sender has the token, `client_id` included, and
 * the response does not depend on the token's state.
 */
export const revoke: Route = async (app) => {
  app.post(
    '/oauth/revoke',
    {
      config: { audit: 'revocation.create' },
      schema: {
        summary: "Revoke one of the client's own tokens, and every token that it has issued",
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
      if (claims.client_id !== identity) {
        throw new AuthError(
          'unauthorized_client',
          'the token was issued to another client; only that client can revoke it here',
        )
      }
      // Also if the token is already revoked: a node may not have received the revocation.
      const cascade = mayHaveIssued(claims)
      const unlisted = isBrief(claims)
      const { id, tokens, parts } = await commitRevocation(app.registry, {
        selector: { jti: claims.jti, ...(cascade && { cascade }) },
        unlisted,
      })
      request.audit.target.revocation = id
      Object.assign(request.audit.detail, { tokens, ...(cascade && { cascade }) })
      request.audit.omitted = unlisted
      app.meters.revocations[cascade ? 'jti_cascade' : 'jti'] += 1
      await awaitConfirmations(app, { id, parts })
      return reply.send('')
    },
  )
}

/** A token without the scope to issue tokens has issued none, so it needs no cut-off for them. */
function mayHaveIssued({ scope }: Claims): boolean {
  return permits(scope.split(' '), 'tokens:issue')
}

/**
 * Returns true for the identity's own token of at most a minute. A command or script revokes such a
 * token when it ends. The entry of its issue already says who had which scopes, and until when to
 * within a minute, so the revocation is carried out like any other but listed nowhere.
 */
function isBrief({ sub, client_id, iat, exp }: Claims): boolean {
  // `exp` is rounded up to a whole second.
  return sub === client_id && exp - iat <= briefTokenSeconds + 1
}
