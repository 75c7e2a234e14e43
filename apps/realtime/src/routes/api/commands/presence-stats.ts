import { permitsChannel } from '@portcullis/contracts/scopes'
import { ChannelRequest } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Channels } from '../../../connection/node.js'
import type { ChannelOptions } from '../../../hub/namespaces.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { apiError, orUnread } from '../reply.js'

const Result = Type.Object({ num_clients: Type.Integer(), num_users: Type.Integer() })

/** `presence_stats`: counts the clients and users in a channel; needs `presence:<channel>`. */
export function apiPresenceStats(
  stats: Channels['presenceStats'],
  optionsOf: (channel: string) => ChannelOptions,
  limits: ApiLimits,
): ApiCommand<typeof ChannelRequest, typeof Result> {
  return {
    name: 'presence_stats',
    summary: 'Count the clients in a channel',
    body: ChannelRequest,
    result: Result,
    async run({ channel }, { identity, scopes, subject }) {
      if (!permitsChannel(scopes, subject, 'presence', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (!optionsOf(channel).presence) {
        return apiError(replyErrors.notAvailable)
      }
      return orUnread(stats(channel, limits.reader(identity)))
    },
  }
}
