import { fnv1a } from '@portcullis/contracts/fnv1a'
import { partitionTag, slotOf } from '@portcullis/redis'

/** Every Redis key and channel that realtime nodes use, under one prefix. */
export interface Keys {
  /** The slot of each partition. */
  readonly slots: readonly number[]
  /** The partition that all keys of a channel are in. */
  partitionOf(name: string): number
  /** Redis channel: publications of one channel, and who comes into it and leaves it. */
  channel(name: string): string
  /** Redis channels of channels by a glob pattern of their names, in all partitions. */
  channels(pattern: string): string
  /** The name of the channel that such a Redis channel is of; undefined for any other. */
  channelOf(key: string): string | undefined
  /** Redis channel: orders and questions to all nodes; of the first partition. */
  readonly control: string
  /** Redis channel: answers to one node; of the first partition. */
  inbox(node: string): string
  /** Stream: the history of a channel; the id of each entry is its offset, `<offset>-0`. */
  stream(name: string): string
  /** Hash: where a channel's stream ends, `offset` and `epoch`, and how it got there. */
  place(name: string): string
  /** What was published in a channel under an idempotency key. */
  once(name: string, idempotencyKey: string): string
  /** Sorted set: infos of those present in a channel, by the millisecond until which they count. */
  present(name: string): string
}

/**
 * Names every key. All that belong to one channel carry the hash tag of its partition, so that a script
 * stays in one slot of a Cluster, and a node subscribes to all channels of a partition in one place.
 */
export function keys(prefix: string, partitions: number): Keys {
  const tags = Array.from(
    { length: partitions },
    (_, partition) => `{${partitionTag(prefix, partition, partitions)}}`,
  )
  const partitionOf = (name: string) => fnv1a(name) % partitions
  const at = (partition: number, kind: string) => `${tags[partition]}:${kind}`
  const own = (name: string, kind: string) => `${at(partitionOf(name), kind)}:${name}`
  const channelMark = '}:channel:'
  return {
    slots: tags.map(slotOf),
    partitionOf,
    channel: (name) => own(name, 'channel'),
    channels: (pattern) => `{${prefix}:*${channelMark}${pattern}`,
    channelOf(key) {
      const mark = key.indexOf(channelMark)
      return mark < 0 ? undefined : key.slice(mark + channelMark.length)
    },
    control: at(0, 'control'),
    inbox: (node) => at(0, `node:${node}`),
    stream: (name) => own(name, 'stream'),
    place: (name) => own(name, 'place'),
    // A channel's name has no space.
    once: (name, idempotencyKey) => `${own(name, 'once')} ${idempotencyKey}`,
    present: (name) => own(name, 'present'),
  }
}
