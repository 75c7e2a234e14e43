import { defined } from '@portcullis/contracts/defined'
import type { StreamPosition } from '@portcullis/protocol'
import type { Channels, PublishOptions } from '../connection/node.js'
import { isKept } from '../hub/namespaces.js'
import type { Permit } from '../hub/permit.js'
import type { BulkReads } from '../scheduling/bulk-reads.js'
import type { NodeBroker, OptionsOf } from './hub.js'

/** Lifetime of an idempotency key. */
const idempotencySeconds = 300

/** Channels as connections and the server API use them. */
export interface NodeChannels extends Channels {
  /** Returns the position when the channel has a history. */
  publish(
    channel: string,
    publication: Buffer,
    permit: Permit,
    options?: PublishOptions,
  ): Promise<StreamPosition | undefined>
}

export interface ChannelsWiring {
  broker: NodeBroker
  reads: BulkReads
  optionsOf: OptionsOf
  /** Called before a publication is sent to Redis. */
  onPublishing?: (channel: string, publication: Buffer) => void
  onPublished: () => void
}

/** Connects channels with the broker, by the options of each channel's namespace. */
export function wireChannels({
  broker,
  reads,
  optionsOf,
  onPublishing = () => undefined,
  onPublished,
}: ChannelsWiring): NodeChannels {
  return {
    async publish(channel, publication, permit, { idempotencyKey, skipHistory, version } = {}) {
      const channelOptions = optionsOf(channel)
      onPublishing(channel, publication)
      const { historySize: size, historyTtlSeconds: ttlSeconds } = channelOptions
      const position = await broker.streams.publish(channel, publication, permit, {
        ...(isKept(channelOptions, skipHistory) ? { history: { size, ttlSeconds } } : {}),
        ...(idempotencyKey === undefined
          ? {}
          : { idempotency: { key: idempotencyKey, ttlSeconds: idempotencySeconds } }),
        ...defined({ version }),
      })
      onPublished()
      return position
    },
    history: (channel, query, reader) => reads.history(channel, query, reader),
    position: (channel) => reads.position(channel),
    presence: (channel, reader) => reads.presence(channel, reader),
    presenceStats: (channel, reader) => reads.presenceStats(channel, reader),
    enter: (channel, info, permit) => broker.presence.enter(channel, info, permit),
    leave: (channel, info) => broker.presence.leave(channel, info),
    announceJoin: (channel, info, permit) => broker.channels.announceJoin(channel, info, permit),
    announceLeave: (channel, info) => broker.channels.announceLeave(channel, info),
  }
}
