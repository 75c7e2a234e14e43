import { SuspendedIdentity, SuspendIdentity } from '@portcullis/contracts/identities'
import { Type } from '@sinclair/typebox'
import { getReceipt, suspendIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `POST /v1/identities/:identity/suspend`: revokes the identity's tokens and refuses it new ones. */
export const suspend: Route = async (app) => {
  app.post(
    '/v1/identities/:identity/suspend',
    {
      config: { audit: 'identity.suspend' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Suspend an identity and revoke its tokens',
        params: IdentityParams,
        body: Type.Union([SuspendIdentity, Type.Null()]),
        response: { 200: SuspendedIdentity, ...problemResponses },
      },
    },
    async (request) => {
      const name = request.params.identity
      await requirePowerOver(app, request.caller, name)
      const { identity, revocation } = await request.caller.act((registry) =>
        suspendIdentity(registry, name, request.body?.reason),
      )
      request.caller.keepResponse()
      request.audit.target.revocation = revocation.id
      app.meters.revocations.identity += 1
      await awaitConfirmations(app, revocation)
      return { identity, revocation: await getReceipt(app.registry, revocation.id) }
    },
  )
}
