/** Every Redis key and channel that realtime nodes use, under one prefix. */
export interface Keys {
  /** Redis channel: publications of one channel, and who comes into it and leaves it. */
  channel(name: string): string
  /** The name of the channel that a Redis channel is of; undefined for any other. */
  channelOf(key: string): string | undefined
  /** Redis channel: orders and questions to all nodes. */
  readonly control: string
  /** Redis channel: answers to one node. */
  inbox(node: string): string
  /** Stream: the history of a channel; the id of each entry is its offset, `<offset>-0`. */
  stream(name: string): string
  /** Hash: where a channel's stream ends, `offset` and `epoch`. */
  place(name: string): string
  /** What was published in a channel under an idempotency key. */
  once(name: string, idempotencyKey: string): string
  /** Sorted set: infos of those present in a channel, by the millisecond until which they count. */
  present(name: string): string
}

export function keys(prefix: string): Keys {
  const channels = `${prefix}:channel:`
  return {
    channel: (name) => channels + name,
    channelOf: (key) => (key.startsWith(channels) ? key.slice(channels.length) : undefined),
    control: `${prefix}:control`,
    inbox: (node) => `${prefix}:node:${node}`,
    stream: (name) => `${prefix}:stream:${name}`,
    place: (name) => `${prefix}:place:${name}`,
    // A channel's name has no space.
    once: (name, idempotencyKey) => `${prefix}:once:${name} ${idempotencyKey}`,
    present: (name) => `${prefix}:present:${name}`,
  }
}
