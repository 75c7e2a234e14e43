import { permitsChannel } from '@portcullis/contracts/scopes'
import { BroadcastRequest, PublishResult } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import { ApiAnswer, apiError } from '../answer.js'
import type { Answer, ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { encodeRequest, type Publish, publishInto } from './publish-into.js'

const Result = Type.Object({ responses: Type.Array(ApiAnswer(PublishResult)) })

/** Channels of one broadcast that wait for their turn, or are under way. */
const maxAtOnce = 64

/**
 * `broadcast`: the same into many channels; `responses` has one answer for each, in order. Each channel
 * counts as a command.
 */
export function apiBroadcast(
  publish: Publish,
  limits: ApiLimits,
): ApiCommand<typeof BroadcastRequest, typeof Result> {
  return {
    name: 'broadcast',
    summary: 'Publish the same into many channels',
    body: BroadcastRequest,
    result: Result,
    async run({ channels, ...publication }, caller) {
      const { identity, scopes, subject } = caller
      const content = encodeRequest(publication)
      if ('error' in content) {
        return { result: { responses: channels.map(() => content) } }
      }
      const { encoded } = content
      limits.charge(identity, encoded.length * channels.length, channels.length - 1)
      const responses: Answer<PublishResult>[] = []
      const remaining = channels.entries()
      const work = async () => {
        for (const [at, channel] of remaining) {
          responses[at] = await limits.publish(identity, encoded.length, async () =>
            permitsChannel(scopes, subject, 'publish', channel)
              ? publishInto(publish, channel, encoded, caller, publication)
              : apiError(replyErrors.permissionDenied),
          )
        }
      }
      await Promise.all(Array.from({ length: maxAtOnce }, work))
      return { result: { responses } }
    },
  }
}
