/** The distribution of a node's sockets over channels. */
export interface Layout {
  channels: number
  /** Channels of each socket; divides `channels`. */
  each: number
  /** Sockets on a node. */
  sockets: number
}

/** Returns the channels of each socket of a node: consecutive blocks, starting over at the end. */
export function channelsOf({ channels, each, sockets }: Layout, prefix: string): string[][] {
  return Array.from({ length: sockets }, (_, socket) =>
    Array.from({ length: each }, (_, at) => `${prefix}${(socket * each + at) % channels}`),
  )
}

/**
 * Returns the channel for the publication at `at`: all in turn, those of one block as far apart as
 * possible, so that publications sent together reach no socket twice.
 */
export function turn({ channels, each }: Layout, at: number): number {
  const blocks = channels / each
  const round = at % channels
  return (round % blocks) * each + Math.floor(round / blocks)
}
