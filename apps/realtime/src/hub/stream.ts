import type { StreamPosition } from '@portcullis/protocol'
import { HubError } from './errors.js'

/** A publication with its place in its channel's stream. */
export interface StoredPublication {
  offset: number
  /** The offset that it follows, when that is not the one before its own. */
  after?: number
  encoded: Buffer
}

/** Where a publication stands that has come in. */
export interface ArrivalPosition extends StreamPosition {
  after?: number
}

/**
 * What was published after a position, oldest first, and where the stream ends. A long read is cut: it
 * gives the first publications, and has to be asked on from the last of them.
 */
export interface StreamRead {
  position: StreamPosition
  publications: readonly StoredPublication[]
}

/** What somebody has missed who knows the stream up to a position. */
export interface Recovery extends StreamRead {
  /** `publications` are all of it; otherwise history does not reach back so far. */
  recovered: boolean
}

export interface StreamOptions {
  /** Asks the backplane; without `since` for the position alone. Rejects when it cannot be asked. */
  read(since?: StreamPosition): Promise<StreamRead>
  /**
   * Says that something was published up to this position, whether the backplane has it still or not:
   * has it begin the stream anew when it does not. Gives whether it has. Rejects as `read` does.
   */
  disown(position: StreamPosition): Promise<boolean>
  /** Takes what was published, in order and without a gap. */
  deliver(publication: StoredPublication): void
  /** Between what was delivered and what comes next is something that nobody can tell any more. */
  lost(): void
}

interface Arrival extends StoredPublication {
  epoch: string
}

/** How often a reader may find that the stream has begun anew while it was read. */
const mostTries = 3

/**
 * One channel's stream as this node has followed it. Publications come over the backplane, which may
 * lose some with a connection, or bring them late; each has its offset, so the node sees that one is
 * missing and reads it from history. Subscribers get every one once, in order, or learn that they did not.
 */
export class Stream {
  readonly #options: StreamOptions
  /** Everything up to here is delivered. Set once `opened`. */
  #position: StreamPosition = { offset: 0, epoch: '' }
  /** Came in while the stream is being read; undefined while it is not. */
  #arrived: Arrival[] | undefined = []
  /** Up to here history was read: what the backplane still brings of it is not news. */
  #readUpTo = 0
  /** Those who recover: what is delivered while they read. */
  readonly #readers = new Set<StoredPublication[]>()
  #closed = false

  constructor(options: StreamOptions) {
    this.#options = options
  }

  get position(): StreamPosition {
    return this.#position
  }

  /** Finds out where the stream stands. To be called once, when the backplane brings the channel. */
  async open(): Promise<void> {
    const { position } = await this.#options.read()
    this.#position = position
    this.#readUpTo = position.offset
    if (!this.#goOn()) {
      await this.catchUp()
    }
  }

  /** Nobody follows it any more. */
  close(): void {
    this.#closed = true
  }

  /** The backplane has brought a publication. */
  arrive(position: ArrivalPosition, encoded: Buffer): void {
    if (this.#arrived !== undefined) {
      this.#arrived.push({ ...position, encoded })
    } else if (this.#isNext(position)) {
      this.#take({ ...position, encoded })
    } else if (!this.#isOld(position)) {
      void this.catchUp()
    }
  }

  /**
   * Reads what may be missing, unless that is under way. Gives false when it cannot be read now: it has
   * to be called again.
   */
  async catchUp(): Promise<boolean> {
    if (this.#arrived !== undefined || this.#closed) {
      return true
    }
    try {
      do {
        this.#arrived = []
        await this.#readOn()
      } while (!this.#goOn())
      return true
    } catch {
      this.#arrived = undefined
      return false
    }
  }

  /**
   * Finds what was published after `since`. `enter` is called with it in the same step in which
   * `position` is true: what is delivered from then on comes after it. A read that is cut recovers
   * nothing.
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
      for (let tries = 0; tries < mostTries; tries += 1) {
        later.length = 0
        const read = await readMissed(since)
        if (read.position.epoch === this.#position.epoch) {
          return enter(joined(since, read, later))
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

  async #readOn(): Promise<void> {
    for (;;) {
      const since = this.#position
      const read = await this.#options.read(since)
      if (this.#closed) {
        return
      }
      const upTo = reachOf(since, read)
      if (upTo === undefined || (upTo === since.offset && upTo !== read.position.offset)) {
        return this.#tellLost(since, read)
      }
      this.#readUpTo = upTo
      for (const publication of read.publications) {
        this.#take(publication)
      }
      if (upTo === read.position.offset) {
        return
      }
    }
  }

  /** Those who have not heard what is lost have to learn of it too. */
  async #tellLost(since: StreamPosition, read: StreamRead): Promise<void> {
    this.#readUpTo = read.position.offset
    const isBegun = read.position.epoch === since.epoch && (await this.#options.disown(since))
    const { position } = isBegun ? await this.#options.read() : read
    this.#position = position
    this.#readUpTo = position.offset
    this.#options.lost()
  }

  /** Takes what arrived meanwhile. Gives false when something is missing still. */
  #goOn(): boolean {
    const arrived = this.#arrived ?? []
    this.#arrived = undefined
    for (const arrival of arrived) {
      if (this.#isNext(arrival)) {
        this.#take(arrival)
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

  #take(publication: StoredPublication): void {
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
 * The offset up to which a read tells everything that follows a position, each publication the next;
 * undefined when something is missing between them.
 */
function reachOf(since: StreamPosition, { position, publications }: StreamRead) {
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

/** A read, and what was delivered while it was under way. */
function joined(
  since: StreamPosition,
  read: StreamRead,
  later: readonly StoredPublication[],
): Recovery {
  const newer = later.filter(({ offset }) => offset > read.position.offset)
  const position = { ...read.position, offset: newer.at(-1)?.offset ?? read.position.offset }
  const publications = [...read.publications, ...newer]
  return reachOf(since, { position, publications }) === position.offset
    ? { position, publications, recovered: true }
    : { position, publications: [], recovered: false }
}
