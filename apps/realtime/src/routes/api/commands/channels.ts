import { ChannelsRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { Reader, Unread } from '../../../connection/node.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { orUnread } from '../reply.js'

const Result = Type.Object({ channels: Type.Record(Type.String(), Type.Object({})) })

/** `channels`: lists channels with subscribers on any node; needs `nodes:read`. */
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
      const reply = await orUnread(names(pattern, limits.reader(identity)))
      if ('error' in reply) {
        return reply
      }
      const entries = reply.result.map((name) => [name, {}] as const)
      return { result: { channels: Object.fromEntries(entries) } }
    },
  }
}
