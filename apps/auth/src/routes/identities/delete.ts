import { deleteIdentity } from '../../registry/index.js'
import { NoContent, problemResponses } from '../response-schemas.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `DELETE /v1/identities/:identity`: also revokes all its tokens, in the same step. */
export const remove: Route = async (app) => {
  app.delete(
    '/v1/identities/:identity',
    {
      config: { audit: 'identity.delete' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Delete an identity and revoke its tokens; the Location header is the receipt',
        params: IdentityParams,
        response: { 204: NoContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { identity } = request.params
      await requirePowerOver(app, request.caller, identity)
      const { id, parts } = await request.caller.act((registry) =>
        deleteIdentity(registry, identity),
      )
      request.caller.keepResponse()
      request.audit.target.revocation = id
      app.meters.revocations.identity += 1
      await awaitConfirmations(app, { id, parts })
      return reply.code(204).header('location', `/v1/revocations/${id}`).send(null)
    },
  )
}
