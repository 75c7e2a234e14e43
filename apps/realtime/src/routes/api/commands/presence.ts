import { permitsChannel } from '@portcullis/contracts/scopes'
import { ChannelRequest } from '@portcullis/contracts/server-api'
import { ClientInfo, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Channels } from '../../../connection/node.js'
import type { ChannelOptions } from '../../../hub/namespaces.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { apiError, orUnread } from '../reply.js'

const Result = Type.Object({ presence: Type.Record(Type.String(), ClientInfo) })

/** `presence`: returns the clients in a channel, by connection; needs `presence:<channel>`. */
export function apiPresence(
  presence: Channels['presence'],
  optionsOf: (channel: string) => ChannelOptions,
  limits: ApiLimits,
): ApiCommand<typeof ChannelRequest, typeof Result> {
  return {
    name: 'presence',
    summary: 'List the clients in a channel',
    body: ChannelRequest,
    result: Result,
    async run({ channel }, { identity, scopes, subject }) {
      if (!permitsChannel(scopes, subject, 'presence', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (!optionsOf(channel).presence) {
        return apiError(replyErrors.notAvailable)
      }
      const reply = await orUnread(presence(channel, limits.reader(identity)))
      if ('error' in reply) {
        return reply
      }
      const byClient = reply.result.map((info) => [info.client, info] as const)
      return { result: { presence: Object.fromEntries(byClient) } }
    },
  }
}
