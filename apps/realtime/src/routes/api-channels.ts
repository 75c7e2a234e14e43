import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ChannelsRequest } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ApiAnswer, orInternal } from './api-answer.js'

/** `POST /api/channels`: those that somebody is subscribed to, on whatever node; needs `nodes:read`. */
export function apiChannels(
  app: FastifyInstance,
  names: (pattern?: string) => Promise<readonly string[]>,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/channels',
    {
      onRequest: app.admit({ scope: 'nodes:read' }),
      schema: {
        summary: 'List channels with subscribers',
        body: ChannelsRequest,
        response: {
          200: ApiAnswer(Type.Object({ channels: Type.Record(Type.String(), Type.Object({})) })),
        },
      },
    },
    async ({ body: { pattern } }) =>
      orInternal(
        names(pattern).then((found) => ({
          channels: Object.fromEntries(found.map((name) => [name, {}])),
        })),
      ),
  )
}
