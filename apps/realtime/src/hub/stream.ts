import type { StreamPosition } from '@portcullis/protocol'
import { HubError } from './errors.js'

/** A publication with its place in its channel's stream. */
export interface StoredPublication {
  offset: number
  encoded: Buffer
}

/** What was published after a position, oldest first, and where the stream ends. */
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
    if (!this.#goOn()) await this.catchUp()
  }

  /** Nobody follows it any more. */
  close(): void {
    this.#closed = true
  }

  /** The backplane has brought a publication. */
  arrive({ offset, epoch }: StreamPosition, encoded: Buffer): void {
    if (this.#arrived !== undefined) {
      this.#arrived.push({ offset, epoch, encoded })
    } else if (this.#isNext(offset, epoch)) {
      this.#take({ offset, encoded })
    } else if (!this.#isOld(offset, epoch)) {
      void this.catchUp()
    }
  }

  /** Reads what may be missing. Does nothing while that is under way; a failure is made up for later. */
  async catchUp(): Promise<void> {
    if (this.#arrived !== undefined || this.#closed) return
    try {
      do {
        this.#arrived = []
        await this.#readOn()
      } while (!this.#goOn())
    } catch {
      // The backplane is away. When it is back, or at the next look, this is called again.
      this.#arrived = undefined
    }
  }

  /**
   * Finds what was published after `since`. `enter` is called with it in the same step in which
   * `position` is true: what is delivered from then on comes after it.
   *
   * @throws HubError backplane_unavailable
   */
  async recover<Result>(
    since: StreamPosition,
    enter: (recovery: Recovery) => Result,
  ): Promise<Result> {
    const later: StoredPublication[] = []
    this.#readers.add(later)
    try {
      for (let tries = 0; tries < mostTries; tries += 1) {
        later.length = 0
        const read = await this.#options.read(since)
        if (read.position.epoch === this.#position.epoch) return enter(joined(since, read, later))
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
    const since = this.#position
    const read = await this.#options.read(since)
    if (this.#closed) return
    this.#readUpTo = read.position.offset
    if (isWhole(since, read)) {
      for (const publication of read.publications) this.#take(publication)
    } else {
      this.#position = read.position
      this.#options.lost()
    }
  }

  /** Takes what arrived meanwhile. Gives false when something is missing still. */
  #goOn(): boolean {
    const arrived = this.#arrived ?? []
    this.#arrived = undefined
    for (const { offset, epoch, encoded } of arrived) {
      if (this.#isNext(offset, epoch)) this.#take({ offset, encoded })
      else if (!this.#isOld(offset, epoch)) return false
    }
    return true
  }

  #isNext(offset: number, epoch: string): boolean {
    return epoch === this.#position.epoch && offset === this.#position.offset + 1
  }

  #isOld(offset: number, epoch: string): boolean {
    return epoch === this.#position.epoch && offset <= this.#readUpTo
  }

  #take(publication: StoredPublication): void {
    this.#position = { ...this.#position, offset: publication.offset }
    for (const reader of this.#readers) reader.push(publication)
    this.#options.deliver(publication)
  }
}

/** Whether a read tells everything that follows a position. */
function isWhole(since: StreamPosition, { position, publications }: StreamRead): boolean {
  if (position.epoch !== since.epoch) return false
  const missing = position.offset - since.offset
  return (
    publications.length === missing &&
    (publications[0]?.offset ?? since.offset + 1) === since.offset + 1
  )
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
  return isWhole(since, { position, publications })
    ? { position, publications, recovered: true }
    : { position, publications: [], recovered: false }
}
