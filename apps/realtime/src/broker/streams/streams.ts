import type { StreamPosition } from '@portcullis/protocol'
import { type Commands, isCluster } from '@portcullis/redis'
import type { Permit } from '../../hub/permit.js'
import type { StreamRead } from '../../hub/stream.js'
import { orAway } from '../errors.js'
import type { Keys } from '../keys.js'
import type { Writes } from '../writes.js'
import { Acknowledged } from './acknowledged.js'
import {
  type BoundedHistoryQuery,
  disownLost,
  minJump,
  type PublishOptions,
  publish,
  readHistory,
  readPosition,
  removeHistory,
} from './stream-scripts.js'

/** A replica that lags by more than this is not expected to take over; see `disownLost`. */
const maxReplicaLagMs = 30_000

export interface StreamsOptions {
  commands: Commands
  bulk: Commands
  keys: Keys
  writes: Writes
}

/** Publications of channels, and the streams of those with a history. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #acknowledged = new Acknowledged({ forMs: maxReplicaLagMs, minJump })

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /**
   * Sends an encoded publication to every node, including this one. Returns its position when the
   * channel has a history.
   *
   * @throws BrokerError away
   */
  async publish(
    channel: string,
    encoded: Buffer,
    permit: Permit,
    options: PublishOptions = {},
  ): Promise<StreamPosition | undefined> {
    const { commands, keys, writes } = this.#options
    const position = await orAway(() =>
      writes.run(keys.place(channel), permit, (deadline) =>
        publish(commands, keys, channel, encoded, options, deadline),
      ),
    )
    if (position !== undefined) {
      this.#acknowledged.set(channel, position)
    }
    return position
  }

  /** Returns publications of a channel and the end of its stream. @throws BrokerError away */
  history(channel: string, query: BoundedHistoryQuery): Promise<StreamRead> {
    const { commands, bulk, keys } = this.#options
    // A position alone is a short reply.
    if (query.limit === 0) {
      return orAway(() => readHistory(commands, keys, channel, query))
    }
    return orAway(() => this.#readBulk(() => readHistory(bulk, keys, channel, query)))
  }

  /**
   * Retries a failed read once on a Cluster, with a new slot map: the bulk connection is seldom
   * used, so its map may be older than a failover. Reads are safe to repeat.
   */
  async #readBulk<Result>(read: () => Promise<Result>): Promise<Result> {
    const { bulk } = this.#options
    if (!isCluster(bulk)) {
      return read()
    }
    try {
      return await read()
    } catch {
      await new Promise<void>((resolve) => bulk.refreshSlotsCache(() => resolve()))
      return read()
    }
  }

  /**
   * Returns the end of each stream: undefined when none exists, 'unknown' when Redis does not
   * answer.
   */
  positions(channels: readonly string[]): Promise<(StreamPosition | undefined | 'unknown')[]> {
    const { commands, keys } = this.#options
    return Promise.all(
      channels.map((channel) =>
        readPosition(commands, keys, channel).catch(() => 'unknown' as const),
      ),
    )
  }

  /**
   * Starts a new epoch if Redis has lost the publication at `position`, so that followers learn of
   * the gap. Returns true if it did.
   *
   * @throws BrokerError away
   */
  disown(channel: string, position: StreamPosition): Promise<boolean> {
    const { commands, keys } = this.#options
    return orAway(() => disownLost(commands, keys, channel, position))
  }

  /**
   * Calls `disown` for everything that Redis acknowledged to this node lately.
   *
   * @throws BrokerError away
   */
  async disownLost(): Promise<void> {
    const acknowledged = this.#acknowledged.all
    await Promise.all(acknowledged.map(([channel, position]) => this.disown(channel, position)))
    this.#acknowledged.confirm(acknowledged)
  }

  /** Deletes a channel's history; its offsets continue. @throws BrokerError away */
  async removeHistory(channel: string, permit: Permit): Promise<void> {
    const { commands, keys, writes } = this.#options
    await orAway(() =>
      writes.run(keys.stream(channel), permit, (deadline) =>
        removeHistory(commands, keys, channel, deadline),
      ),
    )
  }
}
