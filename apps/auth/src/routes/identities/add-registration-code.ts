import { AddedRegistrationCode, AddRegistrationCode } from '@portcullis/contracts/identities'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { Type } from '@sinclair/typebox'
import { addRegistrationCode } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `POST /v1/identities/:identity/registration-codes`: only this response shows the code. */
export const addCode: Route = async (app) => {
  app.post(
    '/v1/identities/:identity/registration-codes',
    {
      config: { audit: 'code.add' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Add a registration code, or rotate; only this response shows the code',
        params: IdentityParams,
        body: Type.Union([AddRegistrationCode, Type.Null()]),
        response: { 201: AddedRegistrationCode, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { identity } = request.params
      await requirePowerOver(app, request.caller, identity)
      const ceiling = scopesToGive(request.caller, identity)
      const added = await request.caller.act((registry) =>
        addRegistrationCode(registry, identity, request.body ?? {}, ceiling),
      )
      request.audit.target.code = added.id
      reply.code(201)
      return added
    },
  )
}
