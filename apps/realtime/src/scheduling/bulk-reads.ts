import type { ClientInfo, PresenceStatsResult, StreamPosition } from '@portcullis/protocol'
import type { Presence } from '../broker/presence/presence.js'
import type { ChannelSubscriptions } from '../broker/pubsub/channel-subscriptions.js'
import type { Streams } from '../broker/streams/streams.js'
import type { HistoryQuery, Reader, Unread } from '../connection/node.js'
import type { StreamRead } from '../hub/stream.js'
import { FairQueue } from './fair-queue.js'

/** Few reads run concurrently: each may hold a whole answer in memory. */
const reading = { maxInFlight: 8, maxPerCaller: 2, maxSliceMs: 4 }

/** What one publication is charged for besides its bytes. */
const publicationBytes = 64

/** The parts of the broker that are read here. */
export interface ReadableBroker {
  streams: Pick<Streams, 'history'>
  presence: Pick<Presence, 'present' | 'stats'>
  channels: Pick<ChannelSubscriptions, 'names'>
}

export interface BulkReadsOptions {
  broker: ReadableBroker
  /** Maximum number of publications in the answer to one read of a history. */
  maxPublications: number
  /** Maximum number of bytes in the answer to one read. */
  maxBytes: number
}

/**
 * Reads histories, presence and channel names: few at a time, readers take turns, and each read is
 * bounded and charged to its reader. Methods reject with BrokerError when Redis is away.
 */
export class BulkReads {
  readonly #options: BulkReadsOptions
  readonly #queue = new FairQueue(reading)

  constructor(options: BulkReadsOptions) {
    this.#options = options
  }

  history(channel: string, query: HistoryQuery, reader: Reader): Promise<StreamRead | Unread> {
    const { broker, maxPublications, maxBytes } = this.#options
    if (query.limit === 0) {
      return broker.streams.history(channel, { ...query, maxBytes })
    }
    const limit = query.limit < 0 ? maxPublications : Math.min(query.limit, maxPublications)
    return this.#read(reader, async () => {
      const read = await broker.streams.history(channel, { ...query, limit, maxBytes })
      return [read, bytesOf(read)]
    })
  }

  /**
   * Reads for the node itself, on which all clients depend: bounded likewise, charged to no reader.
   */
  async stream(channel: string, since?: StreamPosition): Promise<StreamRead> {
    const { broker, maxPublications, maxBytes } = this.#options
    if (since === undefined) {
      return broker.streams.history(channel, { limit: 0, maxBytes })
    }
    const query = { since, limit: maxPublications, maxBytes }
    return this.#queue.run('', 1, () => broker.streams.history(channel, query))
  }

  async position(channel: string): Promise<StreamPosition> {
    return (await this.stream(channel)).position
  }

  presence(channel: string, reader: Reader): Promise<readonly ClientInfo[] | Unread> {
    const { broker, maxBytes } = this.#options
    return this.#read<readonly ClientInfo[] | 'limitExceeded'>(reader, async () => {
      const present = await broker.presence.present(channel, maxBytes)
      return present === undefined ? ['limitExceeded', maxBytes] : [present.infos, present.bytes]
    })
  }

  presenceStats(channel: string, reader: Reader): Promise<PresenceStatsResult | Unread> {
    return this.#read(reader, async () => {
      const { stats, bytes } = await this.#options.broker.presence.stats(channel)
      return [stats, bytes]
    })
  }

  channelNames(pattern: string | undefined, reader: Reader): Promise<readonly string[] | Unread> {
    return this.#read(reader, async () => {
      const names = await this.#options.broker.channels.names(pattern)
      return [names, names.reduce((sum, { length }) => sum + length, 0)]
    })
  }

  /** Reads in the reader's turn and charges the bytes to the reader. */
  #read<Result>(
    reader: Reader,
    work: () => Promise<readonly [result: Result, bytes: number]>,
  ): Promise<Result | 'tooManyRequests'> {
    return this.#queue.run(reader.name, 1, async () => {
      if (!reader.mayRead()) {
        return 'tooManyRequests'
      }
      const [result, bytes] = await work()
      reader.chargeRead(bytes)
      return result
    })
  }
}

function bytesOf({ publications }: StreamRead): number {
  return publications.reduce((sum, { encoded }) => sum + encoded.length + publicationBytes, 0)
}
