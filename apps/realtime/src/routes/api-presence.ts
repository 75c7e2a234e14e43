import { ChannelRequest, permitsChannel } from '@portcullis/contracts'
import { ClientInfo, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Channels } from '../connection/node.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import { apiError, orInternal } from './api-answer.js'
import type { ApiCommand } from './api-command.js'

const Result = Type.Object({ presence: Type.Record(Type.String(), ClientInfo) })

/** `presence`: who is subscribed, by connection; needs `presence:<channel>`. */
export function apiPresence(
  presence: Channels['presence'],
  optionsOf: (channel: string) => ChannelOptions,
): ApiCommand<typeof ChannelRequest, typeof Result> {
  return {
    name: 'presence',
    summary: 'List who is subscribed to a channel',
    body: ChannelRequest,
    result: Result,
    async run({ channel }, { scopes, subject }) {
      if (!permitsChannel(scopes, subject, 'presence', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      if (!optionsOf(channel).presence) return apiError(replyErrors.notAvailable)
      return orInternal(
        presence(channel).then((infos) => ({
          presence: Object.fromEntries(infos.map((info) => [info.client, info])),
        })),
      )
    },
  }
}
