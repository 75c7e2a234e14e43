import { Identity } from '@portcullis/contracts/identities'
import { Receipt } from '@portcullis/contracts/revocations'
import { Type } from '@sinclair/typebox'
import { getReceipt, suspendIdentity } from '../../registry/index.js'
import { problemAnswers } from '../answers.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

const Suspend = Type.Union([
  Type.Object(
    { reason: Type.Optional(Type.String({ maxLength: 256 })) },
    { additionalProperties: false },
  ),
  Type.Null(),
])
const Suspended = Type.Object({ identity: Identity, revocation: Receipt })

/** `POST /v1/identities/:identity/suspend`: no new tokens, and those that it has are revoked. */
export const suspend: Route = async (app) => {
  app.post(
    '/v1/identities/:identity/suspend',
    {
      config: { audit: 'identity.suspend' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Suspend an identity and revoke its tokens',
        params: IdentityParams,
        body: Suspend,
        response: { 200: Suspended, ...problemAnswers },
      },
    },
    async (request) => {
      const name = request.params.identity
      await requirePowerOver(app, request.caller, name)
      const { identity, revocation } = await request.caller.act((registry) =>
        suspendIdentity(registry, name, request.body?.reason),
      )
      request.caller.keepAnswer()
      request.audit.target.revocation = revocation.id
      app.meters.revocations.inc({ selector: 'identity' })
      await awaitConfirmations(app, revocation)
      return { identity, revocation: await getReceipt(app.registry, revocation.id) }
    },
  )
}
