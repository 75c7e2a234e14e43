import { ChannelsRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { Reader, Unread } from '../../../connection/node.js'
import { orUnread } from '../answer.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'

const Result = Type.Object({ channels: Type.Record(Type.String(), Type.Object({})) })

/** `channels`: those that somebody is subscribed to, on whatever node; needs `nodes:read`. */
export function apiChannels(
  names: (pattern: string | undefined, reader: Reader) => Promise<readonly string[] | Unread>,
  limits: ApiLimits,
): ApiCommand<typeof ChannelsRequest, typeof Result> {
  return {
    name: 'channels',
    summary: 'List channels with subscribers',
    scope: 'nodes:read',
    body: ChannelsRequest,
    result: Result,
    async run({ pattern }, { identity }) {
      const answer = await orUnread(names(pattern, limits.reader(identity)))
      if ('error' in answer) {
        return answer
      }
      const entries = answer.result.map((name) => [name, {}] as const)
      return { result: { channels: Object.fromEntries(entries) } }
    },
  }
}
