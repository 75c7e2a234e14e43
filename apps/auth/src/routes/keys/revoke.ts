import { KeyId, RevokedKey, RevokeKey } from '@portcullis/contracts/keys'
import { Type } from '@sinclair/typebox'
import { awaitReceipt, getReceipt } from '../../registry/index.js'
import { revokeKey } from '../../tokens/revoke-key.js'
import { problemResponses } from '../response-schemas.js'
import { awaitConfirmations } from '../revocations/await-confirmations.js'
import type { Route } from '../route.js'

/** `POST /v1/keys/:kid/revoke`: removes a compromised key and revokes every token. */
export const revoke: Route = async (app) => {
  app.post(
    '/v1/keys/:kid/revoke',
    {
      config: { audit: 'key.revoke' },
      onRequest: app.allow('keys:write'),
      schema: {
        summary: 'Revoke a compromised signing key, and every token',
        description:
          'Revokes every token issued until now and closes every connection, whichever key signed the token, because the holder of a key can sign a copy of any token. ' +
          'If the key is the current one, the next key replaces it. After a 503, send the request again.',
        params: Type.Object({ kid: KeyId }),
        body: Type.Union([RevokeKey, Type.Null()]),
        response: { 201: RevokedKey, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { kid } = request.params
      const { reason, wait = 0, ...asked } = request.body ?? {}
      request.audit.target.key = kid
      const { id, tokens, parts } = await request.caller.act((registry) =>
        revokeKey(registry, app.tokens, kid, reason),
      )
      request.caller.keepResponse()
      request.audit.target.revocation = id
      request.audit.detail['tokens'] = tokens
      app.meters.revocations.all += 1
      await Promise.all([
        awaitConfirmations(app, { id, parts }, { ...asked, wait }),
        wait === 0 ? undefined : awaitReceipt(app.registry, app.receiptWatch, id, wait),
      ])
      const revocation = await getReceipt(app.registry, id)
      return reply
        .code(201)
        .header('location', `/v1/revocations/${id}`)
        .send({ kid, revocation, keys: app.tokens.keys.list() })
    },
  )
}
