import { Identity } from '@portcullis/contracts/identities'
import { Type } from '@sinclair/typebox'
import { resumeIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'
import { requirePowerOver } from './require-power.js'

/** `POST /v1/identities/:identity/resume`: allows new tokens; revoked tokens stay revoked. */
export const resume: Route = async (app) => {
  app.post(
    '/v1/identities/:identity/resume',
    {
      config: { audit: 'identity.resume' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Let a suspended identity get tokens again',
        params: IdentityParams,
        body: Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]),
        response: { 200: Identity, ...problemResponses },
      },
    },
    async (request) => {
      const { identity } = request.params
      await requirePowerOver(app, request.caller, identity)
      return request.caller.act((registry) => resumeIdentity(registry, identity))
    },
  )
}
