import { deleteIdentity, findClient } from '../../../registry/index.js'
import { NoContent, oauthAnswers } from '../../answers.js'
import { awaitAskedReplicas } from '../../revocations/await-replicas.js'
import type { Route } from '../../route.js'
import { ClientParams, registrationToken, required } from './registered.js'

/** `DELETE /oauth/register/:client_id` (RFC 7592 §2.3): revokes all its tokens in the same step. */
export const remove: Route = async (app) => {
  app.delete(
    '/oauth/register/:client_id',
    {
      schema: {
        summary: 'Delete a client and revoke its tokens, by its registration access token',
        params: ClientParams,
        response: { 204: NoContent, ...oauthAnswers },
      },
    },
    async (request, reply) => {
      const token = registrationToken(request.headers.authorization)
      const found = required(await findClient(app.registry, request.params.client_id, token))
      const { id } = await deleteIdentity(app.registry, found.identity)
      app.meters.revocations.inc({ selector: 'identity' })
      await awaitAskedReplicas(app, id)
      return reply.code(204).send(null)
    },
  )
}
