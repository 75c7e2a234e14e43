import { JwkSet, jwksMaxAgeSeconds } from '@portcullis/contracts/keys'
import type { Route } from '../route.js'
import { allowPages } from './allow-pages.js'

/** `GET /.well-known/jwks.json`: the public signing keys (RFC 7517 §5). */
export const keySet: Route = async (app) => {
  app.get(
    '/.well-known/jwks.json',
    { schema: { summary: 'Public signing keys', response: { 200: JwkSet } } },
    async (_request, reply) => {
      allowPages(reply)
      reply.header('cache-control', `public, max-age=${jwksMaxAgeSeconds}`)
      return app.tokens.keys.jwks()
    },
  )
}
