import { permitsChannel } from '@portcullis/contracts/scopes'
import { PublishRequest, PublishResult } from '@portcullis/contracts/server-api'
import { replyErrors } from '@portcullis/protocol'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { apiError } from '../reply.js'
import { encodeRequest, type PublishTo, publishInto } from './publish-into.js'

/** `publish`: publishes into one channel; needs `publish:<channel>`. */
export function apiPublish(
  to: PublishTo,
  limits: ApiLimits,
): ApiCommand<typeof PublishRequest, typeof PublishResult> {
  return {
    name: 'publish',
    summary: 'Publish into a channel',
    body: PublishRequest,
    result: PublishResult,
    async run({ channel, ...publication }, caller) {
      const { identity, scopes, subject } = caller
      if (!permitsChannel(scopes, subject, 'publish', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      const content = encodeRequest(publication)
      if ('error' in content) {
        return content
      }
      const { encoded } = content
      limits.charge(identity, encoded.length)
      return limits.publish(identity, encoded.length, () =>
        publishInto(to, channel, encoded, caller, publication),
      )
    },
  }
}
