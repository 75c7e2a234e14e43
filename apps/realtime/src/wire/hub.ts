import type { Presence } from '../broker/presence/presence.js'
import type { ChannelSubscriptions } from '../broker/pubsub/channel-subscriptions.js'
import type { Streams } from '../broker/streams/streams.js'
import { Hub } from '../hub/hub.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import type { BulkReads, ReadableBroker } from '../scheduling/bulk-reads.js'

export type OptionsOf = (channel: string) => ChannelOptions

/** The parts of the broker that connections use; tests may implement them in memory. */
export interface NodeBroker extends ReadableBroker {
  streams: Pick<Streams, 'publish' | 'history' | 'positions' | 'disown'>
  presence: Pick<Presence, 'enter' | 'leave' | 'present' | 'stats'>
  channels: Pick<
    ChannelSubscriptions,
    'join' | 'leave' | 'announceJoin' | 'announceLeave' | 'names'
  >
}

export interface HubWiring {
  /** Functions, because the broker reports to the hub and is made after it. */
  broker: () => Pick<NodeBroker, 'streams' | 'channels'>
  reads: () => Pick<BulkReads, 'stream'>
  optionsOf: OptionsOf
}

/** Makes a node's hub. Channels with recovery have a stream. */
export function wireHub({ broker, reads, optionsOf }: HubWiring): Hub {
  return new Hub({
    backplane: {
      join: (channel) => broker().channels.join(channel),
      leave: (channel) => broker().channels.leave(channel),
      read: (channel, since) => reads().stream(channel, since),
      positions: (channels) => broker().streams.positions(channels),
      disown: (channel, position) => broker().streams.disown(channel, position),
    },
    hasStream: (channel) => optionsOf(channel).recovery,
  })
}
