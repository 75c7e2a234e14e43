import { deleteIdentity } from '../../../registry/index.js'
import { NoContent, oauthErrorResponses } from '../../response-schemas.js'
import { awaitConfirmations } from '../../revocations/await-confirmations.js'
import type { Route } from '../../route.js'
import { ClientParams, registeredClient, requireRegistered } from './registered-client.js'

/**
 * `DELETE /oauth/register/:client_id` (RFC 7592 §2.3): also revokes all its tokens, in the same
 * step.
 */
export const remove: Route = async (app) => {
  app.delete(
    '/oauth/register/:client_id',
    {
      config: { audit: 'identity.delete' },
      onRequest: requireRegistered(app),
      schema: {
        summary: 'Delete a client and revoke its tokens, by its registration access token',
        params: ClientParams,
        response: { 204: NoContent, ...oauthErrorResponses },
      },
    },
    async (request, reply) => {
      const { identity } = registeredClient(request)
      const { id, parts } = await deleteIdentity(app.registry, identity.identity)
      request.audit.target.revocation = id
      app.meters.revocations.identity += 1
      await awaitConfirmations(app, { id, parts })
      return reply.code(204).send(null)
    },
  )
}
