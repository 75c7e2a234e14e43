import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ChannelRequest, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Channels } from '../connection/node.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import { ApiAnswer, apiError, orInternal } from './api-answer.js'

/** `POST /api/presence_stats`: how many are subscribed; needs `presence:<channel>`. */
export function apiPresenceStats(
  app: FastifyInstance,
  stats: Channels['presenceStats'],
  optionsOf: (channel: string) => ChannelOptions,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/presence_stats',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Count who is subscribed to a channel',
        body: ChannelRequest,
        response: {
          200: ApiAnswer(Type.Object({ num_clients: Type.Integer(), num_users: Type.Integer() })),
        },
      },
    },
    async ({ body: { channel }, grant }) => {
      if (!permitsChannel(grant.scopes, grant.subject, 'presence', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (!optionsOf(channel).presence) return apiError(replyErrors.notAvailable)
      return orInternal(stats(channel))
    },
  )
}
