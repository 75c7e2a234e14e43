import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { HistoryRequest, permitsChannel } from '@portcullis/contracts'
import { ClientInfo, decodePublication, jsonPublication, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Channels } from '../connection/node.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import { ApiAnswer, apiError, orInternal } from './api-answer.js'

const History = Type.Object({
  publications: Type.Array(
    Type.Object({
      data: Type.Unknown(),
      info: Type.Optional(ClientInfo),
      tags: Type.Optional(Type.Record(Type.String(), Type.String())),
      offset: Type.Integer(),
    }),
  ),
  offset: Type.Integer(),
  epoch: Type.String(),
})

/** `POST /api/history`: what a channel keeps, and where its stream ends; needs `history:<channel>`. */
export function apiHistory(
  app: FastifyInstance,
  history: Channels['history'],
  optionsOf: (channel: string) => ChannelOptions,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/history',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Read what a channel keeps',
        body: HistoryRequest,
        response: { 200: ApiAnswer(History) },
      },
    },
    async ({ body: { channel, limit = 0, since, reverse = false }, grant }) => {
      if (!permitsChannel(grant.scopes, grant.subject, 'history', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (optionsOf(channel).historySize === 0) return apiError(replyErrors.notAvailable)
      const answer = await orInternal(history(channel, { limit, since, reverse }))
      if ('error' in answer) return answer
      const { position, publications } = answer.result
      if (since !== undefined && since.epoch !== position.epoch) {
        return apiError(replyErrors.unrecoverablePosition)
      }
      const read = publications.flatMap(({ offset, encoded }) => {
        const publication = decodePublication(encoded)
        return publication === undefined ? [] : [{ ...jsonPublication(publication), offset }]
      })
      return { result: { ...position, publications: read } }
    },
  )
}
