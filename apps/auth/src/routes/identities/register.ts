import { RegisteredIdentity, RegisterIdentity } from '@portcullis/contracts/identities'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../callers/caller.js'
import { clientKeys } from '../../callers/client-keys.js'
import { registerIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `POST /v1/identities`: the only time that the registration code is shown. */
export const register: Route = async (app) => {
  app.post(
    '/v1/identities',
    {
      config: { audit: 'identity.register' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Register an identity; the answer shows its registration code, once',
        body: RegisterIdentity,
        response: { 201: RegisteredIdentity, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { jwks, ...body } = request.body
      request.audit.target.identity = body.identity
      request.audit.detail['scopes'] = body.scopes.join(' ')
      requireCovered(request.caller, body.scopes, body.identity)
      const identity = { ...body, ...(jwks === undefined ? {} : { jwks: await clientKeys(jwks) }) }
      const ceiling = scopesToGive(request.caller, body.identity)
      const registered = await request.caller.act((registry) =>
        registerIdentity(registry, identity, { ceiling }),
      )
      reply.code(201)
      reply.header('location', `/v1/identities/${encodeURIComponent(registered.identity)}`)
      return registered
    },
  )
}
