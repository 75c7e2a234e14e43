import { JwkSet } from '@portcullis/contracts/keys'
import type { Route } from '../route.js'

/** `GET /.well-known/jwks.json`: the public signing keys (RFC 7517 §5). */
export const keySet: Route = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    { schema: { summary: 'Public signing keys', response: { 200: JwkSet } } },
    async (_request, reply) => {
      // keys/open-key-set.ts publishes a key for twice this long before it signs.
      reply.header('cache-control', 'public, max-age=300')
      return app.tokens.keys.jwks()
    },
  )
}
