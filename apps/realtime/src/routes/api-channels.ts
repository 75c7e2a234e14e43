import { ChannelsRequest } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import { orInternal } from './api-answer.js'
import type { ApiCommand } from './api-command.js'

const Result = Type.Object({ channels: Type.Record(Type.String(), Type.Object({})) })

/** `channels`: those that somebody is subscribed to, on whatever node; needs `nodes:read`. */
export function apiChannels(
  names: (pattern?: string) => Promise<readonly string[]>,
): ApiCommand<typeof ChannelsRequest, typeof Result> {
  return {
    name: 'channels',
    summary: 'List channels with subscribers',
    scope: 'nodes:read',
    body: ChannelsRequest,
    result: Result,
    run: async ({ pattern }) =>
      orInternal(
        names(pattern).then((found) => ({
          channels: Object.fromEntries(found.map((name) => [name, {}])),
        })),
      ),
  }
}
