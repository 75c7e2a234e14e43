import { ChannelsRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { Reader, Unread } from '../../../connection/node.js'
import type { ApiCommand } from '../command.js'
import type { ApiLimits } from '../limits.js'
import { orInternal, orUnread } from '../reply.js'

const Result = Type.Object({
  channels: Type.Record(Type.String(), Type.Object({ num_clients: Type.Integer() })),
})

/**
 * `channels`: lists channels with subscribers on any node, and counts these; needs `nodes:read`. A node
 * that does not answer within a second is missing from the counts.
 */
export function apiChannels(
  names: (pattern: string | undefined, reader: Reader) => Promise<readonly string[] | Unread>,
  countClients: (channels: readonly string[]) => Promise<readonly number[]>,
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
      const found = reply.result
      return orInternal(
        countClients(found).then((counts) => {
          const entries = found.map((name, at) => [name, { num_clients: counts[at] ?? 0 }] as const)
          return { channels: Object.fromEntries(entries) }
        }),
      )
    },
  }
}
