import { Type } from '@sinclair/typebox'
import { removeRegistrationCode } from '../../registry/index.js'
import { NoContent, problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

const Params = Type.Composite([
  IdentityParams,
  Type.Object({
    id: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'the id of a registration code',
    }),
  }),
])

/** `DELETE /v1/identities/:identity/registration-codes/:id` */
export const removeCode: Route = async (app) => {
  app.delete(
    '/v1/identities/:identity/registration-codes/:id',
    {
      config: { audit: 'code.remove' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Remove a registration code; tokens issued for it stay valid',
        params: Params,
        response: { 204: NoContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { identity, id } = request.params
      request.audit.target.code = id
      await requirePowerOver(app, request.caller, identity)
      await request.caller.act((registry) => removeRegistrationCode(registry, identity, id))
      return reply.code(204).send(null)
    },
  )
}
