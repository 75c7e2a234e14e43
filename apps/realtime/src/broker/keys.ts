import { fnv1a } from '@portcullis/contracts/fnv1a'
import { partitionTag, slotOf } from '@portcullis/redis'

/** Names of all Redis keys and channels of realtime nodes, under one prefix. */
export interface Keys {
  /** The Cluster slot of each partition. */
  readonly slots: readonly number[]
  /** A name in each partition at which nothing is stored: whether Redis accepts writes is tried there. */
  readonly unused: readonly string[]
  /** The partition of all keys of a channel. */
  partitionOf(name: string): number
  /** Redis channel: publications of one channel, and joins and leaves. */
  channel(name: string): string
  /** Glob pattern of Redis channels in all partitions, for a glob pattern of channel names. */
  channels(pattern: string): string
  /** The channel's name in a name made by `channel`; undefined for any other Redis channel. */
  channelOf(key: string): string | undefined
  /** Redis channel: orders and questions to all nodes; in the first partition. */
  readonly control: string
  /** Redis channel: answers to one node; in the first partition. */
  inbox(node: string): string
  /** Redis channel: commands for sessions of one node, and answers to it; in the first partition. */
  relay(node: string): string
  /** Stream: a channel's history; the id of each entry is `<offset>-0`. */
  stream(name: string): string
  /** Hash: the end of a channel's stream (`offset`, `epoch`), and its last change of masters. */
  place(name: string): string
  /** Hash or string: an idempotency key of a channel, with the position of its publication. */
  once(name: string, idempotencyKey: string): string
  /** Sorted set: clients present in a channel, by expiry in Unix milliseconds. */
  present(name: string): string
}

const channelMark = '}:channel:'

/**
 * Names the keys. All keys of a channel carry the hash tag of its partition: a script stays within
 * one Cluster slot, and one connection receives all channels of a partition.
 */
export function keys(prefix: string, partitions: number): Keys {
  const tags = Array.from(
    { length: partitions },
    (_, partition) => `{${partitionTag(prefix, partition, partitions)}}`,
  )
  const partitionOf = (name: string) => fnv1a(name) % partitions
  const inPartition = (partition: number, kind: string) => `${tags[partition]}:${kind}`
  const ofChannel = (name: string, kind: string) =>
    `${inPartition(partitionOf(name), kind)}:${name}`
  return {
    slots: tags.map(slotOf),
    unused: tags.map((tag) => `${tag}:unused`),
    partitionOf,
    channel: (name) => ofChannel(name, 'channel'),
    channels: (pattern) => `{${prefix}:*${channelMark}${pattern}`,
    channelOf(key) {
      const mark = key.indexOf(channelMark)
      return mark < 0 ? undefined : key.slice(mark + channelMark.length)
    },
    control: inPartition(0, 'control'),
    inbox: (node) => inPartition(0, `node:${node}`),
    relay: (node) => inPartition(0, `relay:${node}`),
    stream: (name) => ofChannel(name, 'stream'),
    place: (name) => ofChannel(name, 'place'),
    // A channel's name contains no space.
    once: (name, idempotencyKey) => `${ofChannel(name, 'once')} ${idempotencyKey}`,
    present: (name) => ofChannel(name, 'present'),
  }
}
