/** Every Redis channel that realtime nodes use, under one prefix. */
export interface Keys {
  /** Publications of one channel. */
  channel(name: string): string
  /** The name of the channel that a key is of; undefined for any other key. */
  channelOf(key: string): string | undefined
  /** Orders and questions to all nodes. */
  readonly control: string
  /** Answers to one node. */
  inbox(node: string): string
}

export function keys(prefix: string): Keys {
  const channels = `${prefix}:channel:`
  return {
    channel: (name) => channels + name,
    channelOf: (key) => (key.startsWith(channels) ? key.slice(channels.length) : undefined),
    control: `${prefix}:control`,
    inbox: (node) => `${prefix}:node:${node}`,
  }
}
