import { SigningKeyList } from '@portcullis/contracts/keys'
import { Type } from '@sinclair/typebox'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

const Nothing = Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()])

/** `POST /v1/keys/rotate`: every token goes on, new ones are signed with the next key. */
export const rotate: Route = async (app) => {
  app.post(
    '/v1/keys/rotate',
    {
      config: { audit: 'key.rotate' },
      onRequest: app.allow('keys:write'),
      schema: {
        summary: 'Let the next signing key take over, and publish another next one',
        description:
          'No token and no verifier notices. 409 `key_too_young` while a cache of the JWKS may not have the next key yet, ten minutes after it was published; the answer says how long to wait. ' +
          'A key that someone else may have is not rotated but revoked.',
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
