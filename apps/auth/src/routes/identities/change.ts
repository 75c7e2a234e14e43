import { ChangeIdentity, Identity } from '@portcullis/contracts/identities'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../callers/caller.js'
import { clientKeys } from '../../callers/client-keys.js'
import { changeIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `PATCH /v1/identities/:identity`: tokens already issued keep the scopes that they have. */
export const change: Route = async (app) => {
  app.patch(
    '/v1/identities/:identity',
    {
      config: { audit: 'identity.change' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Change an identity; only what is named changes',
        params: IdentityParams,
        body: ChangeIdentity,
        response: { 200: Identity, ...problemResponses },
      },
    },
    async (request) => {
      const { identity } = request.params
      const { scopes } = request.body
      if (scopes !== undefined) {
        request.audit.detail['scopes'] = scopes.join(' ')
      }
      requireCovered(request.caller, scopes ?? [], identity)
      await requirePowerOver(app, request.caller, identity)
      const { jwks, ...body } = request.body
      const kept = jwks === null || jwks === undefined ? jwks : await clientKeys(jwks)
      const change = { ...body, ...(kept === undefined ? {} : { jwks: kept }) }
      const ceiling = scopesToGive(request.caller, identity)
      return request.caller.act((registry) => changeIdentity(registry, identity, change, ceiling))
    },
  )
}
