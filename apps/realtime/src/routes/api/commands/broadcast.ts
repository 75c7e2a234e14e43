import { permitsChannel } from '@portcullis/contracts/scopes'
import { BroadcastRequest, PublishResult } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { ApiReply, apiError } from '../reply.js'
import { encodeRequest, type PublishTo, publishInto } from './publish-into.js'

const Result = Type.Object({ responses: Type.Array(ApiReply(PublishResult)) })

/** Channels of one broadcast that are queued or in flight. */
const maxConcurrent = 64

/**
 * `broadcast`: publishes the same data into several channels. `responses` has one reply for each,
 * in order. Each channel counts as a command.
 */
export function apiBroadcast(
  to: PublishTo,
  limits: ApiLimits,
): ApiCommand<typeof BroadcastRequest, typeof Result> {
  return {
    name: 'broadcast',
    summary: 'Publish the same data into several channels',
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
      const responses: ApiReply<PublishResult>[] = []
      const remaining = channels.entries()
      const work = async () => {
        for (const [index, channel] of remaining) {
          responses[index] = await limits.publish(identity, encoded.length, async () =>
            permitsChannel(scopes, subject, 'publish', channel)
              ? publishInto(to, channel, encoded, caller, publication)
              : apiError(replyErrors.permissionDenied),
          )
        }
      }
      await Promise.all(Array.from({ length: maxConcurrent }, work))
      return { result: { responses } }
    },
  }
}
