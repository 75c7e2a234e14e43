import { permitsChannel } from '@portcullis/contracts/scopes'
import { ChannelRequest } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { ApiCommand } from '../command.js'
import { apiError, orInternal } from '../reply.js'

const Result = Type.Object({})

/** `history_remove`: deletes a channel's history; needs `publish:<channel>`. */
export function apiHistoryRemove(
  remove: (channel: string, caller: Grant) => Promise<void>,
): ApiCommand<typeof ChannelRequest, typeof Result> {
  return {
    name: 'history_remove',
    summary: "Delete a channel's history",
    body: ChannelRequest,
    result: Result,
    async run({ channel }, caller) {
      const { scopes, subject } = caller
      if (!permitsChannel(scopes, subject, 'publish', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      return orInternal(remove(channel, caller).then(() => ({})))
    },
  }
}
