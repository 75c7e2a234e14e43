import type { StreamPosition } from '@portcullis/protocol'
import { HubError } from './errors.js'

/** A publication with its offset in its channel's stream. */
export interface StoredPublication {
  offset: number
  /** The previous offset, when it is not `offset - 1`. */
  after?: number
  encoded: Buffer
}

/** Position of an arrived publication; `after` is the previous offset when not `offset - 1`. */
export interface ArrivalPosition extends StreamPosition {
  after?: number
}

/**
 * Publications after a position, oldest first, and the end of the stream. A long read is cut: it
 * returns the first publications, and the reader continues after the last of them.
 */
export interface StreamRead {
  position: StreamPosition
  publications: readonly StoredPublication[]
}

/** Publications that a subscriber missed after its position. */
export interface Recovery extends StreamRead {
  /** True when `publications` are complete; false when history does not reach back far enough. */
  recovered: boolean
}

export interface StreamOptions {
  /** Reads from the backplane; without `since` only the position. Rejects when Redis is away. */
  read(since?: StreamPosition): Promise<StreamRead>
  /**
   * Tells the backplane that this position was published. If Redis has lost it, the stream is
   * deleted and starts a new epoch; returns true then. Rejects as `read` does.
   */
  disown(position: StreamPosition): Promise<boolean>
  /** Receives publications in order and without a gap. */
  deliver(publication: StoredPublication): void
  /** Publications between the last delivered and the next one are lost for good. */
  lost(): void
}

interface Arrival extends StoredPublication {
  epoch: string
}

/** Attempts of a recovery whose stream starts a new epoch during the read. */
const maxAttempts = 3

/**
 * Follows the stream of one channel. The backplane may lose publications with a connection, or
 * deliver them late. Each has an offset, so the node notices a gap and reads the missing ones from
 * history. Subscribers get each publication once and in order, or learn of the gap.
 */
export class Stream {
  readonly #options: StreamOptions
  /** Position of the last delivered publication. Set by `open`. */
  #position: StreamPosition = { offset: 0, epoch: '' }
  /** Publications that arrive during a read; undefined when no read is running. */
  #arrived: Arrival[] | undefined = []
  /** Offset up to which history was read; later arrivals of these publications are ignored. */
  #readUpTo = 0
  /** For each running recovery: the publications delivered meanwhile. */
  readonly #readers = new Set<StoredPublication[]>()
  #closed = false

  constructor(options: StreamOptions) {
    this.#options = options
  }

  get position(): StreamPosition {
    return this.#position
  }

  /** Reads the stream's position. Call once, after joining the channel. */
  async open(): Promise<void> {
    const { position } = await this.#options.read()
    this.#position = position
    this.#readUpTo = position.offset
    if (!this.#resume()) {
      await this.catchUp()
    }
  }

  /** Stops following: the channel has no subscribers any more. */
  close(): void {
    this.#closed = true
  }

  /** Takes a publication from the backplane. */
  arrive(position: ArrivalPosition, encoded: Buffer): void {
    if (this.#arrived !== undefined) {
      this.#arrived.push({ ...position, encoded })
    } else if (this.#isNext(position)) {
      this.#deliver({ ...position, encoded })
    } else if (!this.#isOld(position)) {
      void this.catchUp()
    }
  }

  /**
   * Reads missing publications, unless a read is running. Returns false when Redis is away; call
   * again later.
   */
  async catchUp(): Promise<boolean> {
    if (this.#arrived !== undefined || this.#closed) {
      return true
    }
    try {
      do {
        this.#arrived = []
        await this.#readMissing()
      } while (!this.#resume())
      return true
    } catch {
      this.#arrived = undefined
      return false
    }
  }

  /**
   * Finds the publications after `since` and calls `enter` with them, synchronously with the
   * position: later deliveries follow it. A read that was cut recovers nothing.
   *
   * @throws HubError backplane_unavailable
   */
  async recover<Result>(
    since: StreamPosition,
    enter: (recovery: Recovery) => Result,
    readMissed: (since: StreamPosition) => Promise<StreamRead> = this.#options.read,
  ): Promise<Result> {
    const later: StoredPublication[] = []
    this.#readers.add(later)
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
        later.length = 0
        const read = await readMissed(since)
        if (read.position.epoch === this.#position.epoch) {
          return enter(recoveryOf(since, read, later))
        }
        await this.catchUp()
      }
    } catch (error) {
      throw new HubError('backplane_unavailable', { cause: error })
    } finally {
      this.#readers.delete(later)
    }
    throw new HubError('backplane_unavailable')
  }

  async #readMissing(): Promise<void> {
    for (;;) {
      const since = this.#position
      const read = await this.#options.read(since)
      if (this.#closed) {
        return
      }
      const upTo = lastOffset(since, read)
      if (upTo === undefined || (upTo === since.offset && upTo !== read.position.offset)) {
        return this.#reportLost(since, read)
      }
      this.#readUpTo = upTo
      for (const publication of read.publications) {
        this.#deliver(publication)
      }
      if (upTo === read.position.offset) {
        return
      }
    }
  }

  /**
   * Reports the loss; nodes that did not receive the lost publications learn of it from a new
   * epoch.
   */
  async #reportLost(since: StreamPosition, read: StreamRead): Promise<void> {
    this.#readUpTo = read.position.offset
    const isNewEpoch = read.position.epoch === since.epoch && (await this.#options.disown(since))
    const { position } = isNewEpoch ? await this.#options.read() : read
    this.#position = position
    this.#readUpTo = position.offset
    this.#options.lost()
  }

  /** Delivers what arrived during the read. Returns false when publications are still missing. */
  #resume(): boolean {
    const arrived = this.#arrived ?? []
    this.#arrived = undefined
    for (const arrival of arrived) {
      if (this.#isNext(arrival)) {
        this.#deliver(arrival)
      } else if (!this.#isOld(arrival)) {
        return false
      }
    }
    return true
  }

  #isNext(arrived: ArrivalPosition): boolean {
    return arrived.epoch === this.#position.epoch && follows(arrived, this.#position.offset)
  }

  #isOld({ offset, epoch }: StreamPosition): boolean {
    return epoch === this.#position.epoch && offset <= this.#readUpTo
  }

  #deliver(publication: StoredPublication): void {
    this.#position = { ...this.#position, offset: publication.offset }
    for (const reader of this.#readers) {
      reader.push(publication)
    }
    this.#options.deliver(publication)
  }
}

function follows(
  { offset, after = offset - 1 }: { offset: number; after?: number },
  before: number,
): boolean {
  return after === before
}

/**
 * Returns the last offset of a read that continues `since` without a gap; undefined when it has a
 * gap.
 */
function lastOffset(since: StreamPosition, { position, publications }: StreamRead) {
  if (position.epoch !== since.epoch) {
    return undefined
  }
  let upTo = since.offset
  for (const publication of publications) {
    if (!follows(publication, upTo)) {
      return undefined
    }
    upTo = publication.offset
  }
  return upTo
}

/**
 * Combines a read with the publications delivered meanwhile. A client that knows an offset and no
 * epoch means the present one.
 */
function recoveryOf(
  since: StreamPosition,
  read: StreamRead,
  later: readonly StoredPublication[],
): Recovery {
  const newer = later.filter(({ offset }) => offset > read.position.offset)
  const position = { ...read.position, offset: newer.at(-1)?.offset ?? read.position.offset }
  const publications = [...read.publications, ...newer]
  const from = since.epoch === '' ? { ...since, epoch: position.epoch } : since
  return lastOffset(from, { position, publications }) === position.offset
    ? { position, publications, recovered: true }
    : { position, publications: [], recovered: false }
}
