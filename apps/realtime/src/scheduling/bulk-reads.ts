import type { ClientInfo, PresenceStatsResult, StreamPosition } from '@portcullis/protocol'
import type { Broker } from '../broker/broker.js'
import type { HistoryQuery, Reader, Unread } from '../connection/node.js'
import type { StreamRead } from '../hub/stream.js'
import { FairQueue } from './fair-queue.js'

/** Long reads that are under way: few, as each holds as much as one answer may have. */
const reading = { maxUnderWay: 8, maxPerCaller: 2, maxSliceMs: 4 }

/** What one publication costs beside its bytes. */
const publicationBytes = 64

export interface BulkReadsOptions {
  broker: Broker
  /** Publications that one read of a history gives. */
  maxPublications: number
  /** Bytes that one read gives. */
  maxBytes: number
}

/**
 * Reads histories, presence and names of channels: few at a time, readers in turns, each read bounded
 * and charged to its reader. A method rejects with BrokerError when Redis is away.
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
      return broker.history(channel, { ...query, maxBytes })
    }
    const limit = query.limit < 0 ? maxPublications : Math.min(query.limit, maxPublications)
    return this.#read(reader, async () => {
      const read = await broker.history(channel, { ...query, limit, maxBytes })
      return [read, bytesOf(read)]
    })
  }

  /** The node's own reads, which it needs to serve all others: not charged, and bounded likewise. */
  async stream(channel: string, since?: StreamPosition): Promise<StreamRead> {
    const { broker, maxPublications, maxBytes } = this.#options
    if (since === undefined) {
      return broker.history(channel, { limit: 0, maxBytes })
    }
    const query = { since, limit: maxPublications, maxBytes }
    return this.#queue.run('', 1, () => broker.history(channel, query))
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
      const names = await this.#options.broker.channelNames(pattern)
      return [names, names.reduce((sum, { length }) => sum + length, 0)]
    })
  }

  /** Reads in the reader's turn, and charges it what was read. */
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
