import { PublishRequest, PublishResult, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { apiError } from './api-answer.js'
import type { ApiCommand } from './api-command.js'
import { type Publish, publishInto } from './publish-into.js'

/** `publish`: into one channel; needs `publish:<channel>`. */
export function apiPublish(
  publish: Publish,
): ApiCommand<typeof PublishRequest, typeof PublishResult> {
  return {
    name: 'publish',
    summary: 'Publish into a channel',
    body: PublishRequest,
    result: PublishResult,
    async run({ channel, ...publication }, { scopes, subject }) {
      if (!permitsChannel(scopes, subject, 'publish', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      return publishInto(publish, channel, publication)
    },
  }
}
