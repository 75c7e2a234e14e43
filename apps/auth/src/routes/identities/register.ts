import { defined } from '@portcullis/contracts/defined'
import { RegisteredIdentity, RegisterIdentity } from '@portcullis/contracts/identities'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../callers/caller.js'
import { checkClientKeys } from '../../callers/client-keys.js'
import { registerIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `POST /v1/identities`: only this response shows the registration code. */
export const register: Route = async (app) => {
  app.post(
    '/v1/identities',
    {
      config: { audit: 'identity.register' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Register an identity; only this response shows its registration code',
        body: RegisterIdentity,
        response: { 201: RegisteredIdentity, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { jwks, ...body } = request.body
      request.audit.target.identity = body.identity
      request.audit.detail['scopes'] = body.scopes.join(' ')
      requireCovered(request.caller, body.scopes, body.identity)
      const checked = jwks === undefined ? undefined : await checkClientKeys(jwks)
      const identity = { ...body, ...defined({ jwks: checked }) }
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
