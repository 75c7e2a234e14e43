import { BroadcastRequest, PublishResult, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import { ApiAnswer, apiError } from './api-answer.js'
import type { ApiCommand } from './api-command.js'
import { type Publish, publishInto } from './publish-into.js'

const Result = Type.Object({ responses: Type.Array(ApiAnswer(PublishResult)) })

/** `broadcast`: the same into many channels; `responses` has one answer for each, in order. */
export function apiBroadcast(publish: Publish): ApiCommand<typeof BroadcastRequest, typeof Result> {
  return {
    name: 'broadcast',
    summary: 'Publish the same into many channels',
    body: BroadcastRequest,
    result: Result,
    async run({ channels, ...publication }, { scopes, subject }) {
      const responses = await Promise.all(
        channels.map(async (channel) =>
          permitsChannel(scopes, subject, 'publish', channel)
            ? publishInto(publish, channel, publication)
            : apiError(replyErrors.permissionDenied),
        ),
      )
      return { result: { responses } }
    },
  }
}
