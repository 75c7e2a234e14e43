import { jsonStreamCodec, protobufStreamCodec } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/config.js'
import type { Streams } from './open-streams.js'
import { isBinaryBody, readBody } from './read-body.js'

export const httpStreamPath = '/connection/http_stream'

/**
 * `POST /connection/http_stream`: the body is the `connect` command, and the response has the server's
 * messages. Returns its address.
 */
export function httpStreamRoute(
  app: FastifyInstance,
  { admission, open }: Streams,
  { MAX_FRAME_BYTES }: Pick<Config, 'MAX_FRAME_BYTES'>,
): string {
  app.post(
    httpStreamPath,
    { ...admission, bodyLimit: MAX_FRAME_BYTES, schema: { hide: true } },
    async (request, reply) => {
      const codec = isBinaryBody(request) ? protobufStreamCodec : jsonStreamCodec
      open({ kind: 'http_stream', codec, connect: readBody(request) }, request, reply)
    },
  )
  return httpStreamPath
}
