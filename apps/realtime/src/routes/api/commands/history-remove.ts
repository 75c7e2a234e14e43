import { permitsChannel } from '@portcullis/contracts/scopes'
import { ChannelRequest } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import { apiError, orInternal } from '../answer.js'
import type { ApiCommand, Caller } from '../command.js'

const Result = Type.Object({})

/** `history_remove`: forgets what a channel keeps; needs `publish:<channel>`. */
export function apiHistoryRemove(
  remove: (channel: string, caller: Caller) => Promise<void>,
): ApiCommand<typeof ChannelRequest, typeof Result> {
  return {
    name: 'history_remove',
    summary: 'Forget what a channel keeps',
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
