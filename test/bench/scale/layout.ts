/** Which sockets of a node are in which channels. */
export interface Layout {
  channels: number
  /** Channels that one socket is in; divides `channels`. */
  each: number
  /** Sockets on a node. */
  sockets: number
}

/** For each socket of a node its channels: a block of them, the next socket the next block, around. */
export function channelsOf({ channels, each, sockets }: Layout, prefix: string): string[][] {
  return Array.from({ length: sockets }, (_, socket) =>
    Array.from({ length: each }, (_, at) => `${prefix}${(socket * each + at) % channels}`),
  )
}

/**
 * The channel whose turn it is: all in turn, those of one block as far from each other as can be, so
 * that what is published together reaches no socket twice.
 */
export function turn({ channels, each }: Layout, at: number): number {
  const blocks = channels / each
  const round = at % channels
  return (round % blocks) * each + Math.floor(round / blocks)
}
