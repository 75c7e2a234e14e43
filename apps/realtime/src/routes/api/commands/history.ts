import { permitsChannel } from '@portcullis/contracts/scopes'
import { HistoryRequest } from '@portcullis/contracts/server-api'
import { ClientInfo, decodePublication, jsonPublication, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Channels } from '../../../connection/node.js'
import type { ChannelOptions } from '../../../hub/namespaces.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { apiError, orUnread } from '../reply.js'

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

/** `history`: returns a channel's history and the end of its stream; needs `history:<channel>`. */
export function apiHistory(
  history: Channels['history'],
  optionsOf: (channel: string) => ChannelOptions,
  limits: ApiLimits,
): ApiCommand<typeof HistoryRequest, typeof History> {
  return {
    name: 'history',
    summary: "Read a channel's history",
    body: HistoryRequest,
    result: History,
    async run({ channel, limit = 0, since, reverse = false }, { identity, scopes, subject }) {
      if (!permitsChannel(scopes, subject, 'history', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (optionsOf(channel).historySize === 0) {
        return apiError(replyErrors.notAvailable)
      }
      const { offset = 0, epoch = '' } = since ?? {}
      const reply = await orUnread(
        history(
          channel,
          { limit, since: since && { offset, epoch }, reverse },
          limits.reader(identity),
        ),
      )
      if ('error' in reply) {
        return reply
      }
      const { position, publications } = reply.result
      if (position.epoch !== (epoch || position.epoch)) {
        return apiError(replyErrors.unrecoverablePosition)
      }
      const read = publications.flatMap(({ offset, encoded }) => {
        const publication = decodePublication(encoded)
        return publication === undefined ? [] : [{ ...jsonPublication(publication), offset }]
      })
      return { result: { ...position, publications: read } }
    },
  }
}
