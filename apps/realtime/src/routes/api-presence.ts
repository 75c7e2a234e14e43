import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ChannelRequest, permitsChannel } from '@portcullis/contracts'
import { ClientInfo, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Channels } from '../connection/node.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import { ApiAnswer, apiError, orInternal } from './api-answer.js'

/** `POST /api/presence`: who is subscribed, by connection; needs `presence:<channel>`. */
export function apiPresence(
  app: FastifyInstance,
  presence: Channels['presence'],
  optionsOf: (channel: string) => ChannelOptions,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/presence',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'List who is subscribed to a channel',
        body: ChannelRequest,
        response: {
          200: ApiAnswer(Type.Object({ presence: Type.Record(Type.String(), ClientInfo) })),
        },
      },
    },
    async ({ body: { channel }, grant }) => {
      if (!permitsChannel(grant.scopes, grant.subject, 'presence', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (!optionsOf(channel).presence) return apiError(replyErrors.notAvailable)
      return orInternal(
        presence(channel).then((infos) => ({
          presence: Object.fromEntries(infos.map((info) => [info.client, info])),
        })),
      )
    },
  )
}
