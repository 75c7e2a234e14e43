import type { StreamPosition } from '@portcullis/protocol'
import type { StreamRead } from './stream.js'

/** Connects the hubs of all nodes. */
export interface Backplane {
  /** Resolves once this node receives the channel's publications. Rejects when Redis is away. */
  join(channel: string): Promise<void>
  leave(channel: string): void
  /** Reads a part of a channel's stream; see `StreamOptions`. Rejects when Redis is away. */
  read(channel: string, since?: StreamPosition): Promise<StreamRead>
  /** Starts a new epoch if the stream has lost a position; see `StreamOptions`. */
  disown(channel: string, position: StreamPosition): Promise<boolean>
  /** Returns the end of each stream: undefined when none exists, 'unknown' when Redis is away. */
  positions(
    channels: readonly string[],
  ): Promise<readonly (StreamPosition | undefined | 'unknown')[]>
}
