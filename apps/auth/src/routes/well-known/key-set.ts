import { Type } from '@sinclair/typebox'
import type { Route } from '../route.js'

const KeySet = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('OKP'),
      crv: Type.Literal('Ed25519'),
      x: Type.String(),
      kid: Type.String(),
      use: Type.Literal('sig'),
      alg: Type.Literal('EdDSA'),
    }),
  ),
})

/** `GET /.well-known/jwks.json`: the public signing keys (RFC 7517 §5). */
export const keySet: Route = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    { schema: { summary: 'Public signing keys', response: { 200: KeySet } } },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return app.tokens.keys.jwks()
    },
  )
}
