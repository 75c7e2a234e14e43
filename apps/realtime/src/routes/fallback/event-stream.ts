import { eventStreamCodec } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import { Refusal } from '../refusals/refusal.js'
import type { Streams } from './open-streams.js'

export const eventStreamPath = '/connection/sse'

/**
 * `GET /connection/sse`: `cf_connect` is the `connect` command, and the response has the server's messages
 * as server-sent events. A browser cannot send a header or a body, so the token is in the address, where
 * proxies log it.
 */
export function eventStreamRoute(app: FastifyInstance, { admission, open }: Streams): void {
  app.get<{ Querystring: { cf_connect?: unknown } }>(
    eventStreamPath,
    { ...admission, schema: { hide: true } },
    async (request, reply) => {
      const { cf_connect: connect } = request.query
      if (typeof connect !== 'string' || connect === '') {
        throw new Refusal(
          400,
          'invalid_request',
          'the address needs one connect command in cf_connect',
        )
      }
      open({ kind: 'sse', codec: eventStreamCodec, connect: Buffer.from(connect) }, request, reply)
    },
  )
}
