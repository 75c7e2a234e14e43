import { SigningKeyList } from '@portcullis/contracts/keys'
import { Type } from '@sinclair/typebox'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

const Nothing = Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()])

/** `POST /v1/keys/rotate`: signs new tokens with the next key. Issued tokens stay valid. */
export const rotate: Route = async (app) => {
  app.post(
    '/v1/keys/rotate',
    {
      config: { audit: 'key.rotate' },
      onRequest: app.allow('keys:write'),
      schema: {
        summary: 'Make the next signing key the current one, and publish a new next one',
        description:
          'Issued tokens stay valid, and verifiers need no change. 409 `key_too_young` in the ten minutes after the next key was published, while caches of the JWKS may not have it; the error says how long to wait. ' +
          'Revoke a compromised key instead of rotating it.',
        body: Nothing,
        response: { 200: SigningKeyList, ...problemResponses },
      },
    },
    async (request) => {
      await request.caller.act(({ deadline }) => app.tokens.keys.rotate(deadline))
      request.audit.target.key = app.tokens.keys.current.kid
      return { keys: app.tokens.keys.list() }
    },
  )
}
