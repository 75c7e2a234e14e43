import { defined } from '@portcullis/contracts/defined'
import { ChangeIdentity, Identity } from '@portcullis/contracts/identities'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../callers/caller.js'
import { checkClientKeys } from '../../callers/client-keys.js'
import { changeIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `PATCH /v1/identities/:identity`. Issued tokens keep their scopes. */
export const change: Route = async (app) => {
  app.patch(
    '/v1/identities/:identity',
    {
      config: { audit: 'identity.change' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Change the given members of an identity',
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
      const checked = jwks === null || jwks === undefined ? jwks : await checkClientKeys(jwks)
      const change = { ...body, ...defined({ jwks: checked }) }
      const ceiling = scopesToGive(request.caller, identity)
      return request.caller.act((registry) => changeIdentity(registry, identity, change, ceiling))
    },
  )
}
