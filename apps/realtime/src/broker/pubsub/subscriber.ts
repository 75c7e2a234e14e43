import { close, type Masters, type PerMaster, perMaster, type Redis } from '@portcullis/redis'
import { BrokerError } from '../errors.js'
import { Line } from './subscriber-connection.js'

export interface SubscriberOptions {
  masters: Masters
  /** The slot of each partition. */
  slots: readonly number[]
  /** How often each connection is asked for a sign of life, and how long it has for it. */
  probeMs: number
  /** What is wanted of some partitions comes in again, after it had not for a while. */
  onRestored: () => void
}

interface Partition {
  readonly slot: number
  /** Where it is subscribed to. */
  line: Line | undefined
  /** Whether every wanted subscription of it stands. */
  whole: boolean
}

interface Wanted {
  readonly partition: Partition
  readonly take: (message: Buffer) => void
}

/**
 * The node's subscriptions in Redis: one connection to each master, for all partitions of which it has
 * the slots.
 *
 * All commands of a partition go down one connection and Redis handles them in order, so a SSUBSCRIBE
 * sent after a SUNSUBSCRIBE wins, and no state in between has to be kept here. After a reconnect, and
 * where a partition has gone to another master, everything that is wanted is subscribed again, and only
 * then is the partition whole.
 */
export class Subscriber {
  readonly #options: SubscriberOptions
  readonly #wanted = new Map<string, Wanted>()
  readonly #partitions: readonly Partition[]
  readonly #lines: PerMaster<Line>

  constructor(options: SubscriberOptions) {
    const { masters, slots } = options
    this.#options = options
    this.#partitions = slots.map((slot) => ({ slot, line: undefined, whole: false }))
    this.#lines = perMaster<Line>(masters, {
      slots,
      make: (master) => this.#open(master.connect('subscriber', 'realtime-sub')),
      end: async (line) => {
        line.close()
        await close(line.redis)
      },
      onChange: () => this.#arrange(),
    })
    this.#arrange()
  }

  /** Waits for the first connection to each master. */
  async open(): Promise<void> {
    await Promise.all(this.#lines.all().map(({ thing }) => thing.opened))
  }

  /** What is not as it should be, in words; undefined when every wanted subscription stands. */
  problem(): string | undefined {
    const broken = this.#partitions.filter(({ whole }) => !whole)
    if (broken.length === 0) {
      return undefined
    }
    const away = broken.filter(({ line }) => line?.ready !== true)
    const of = (some: readonly Partition[]) =>
      this.#partitions.length === 1
        ? ''
        : ` for ${some.length} of ${this.#partitions.length} partitions`
    return away.length > 0 ? `Redis is away${of(away)}` : `subscribing again${of(broken)}`
  }

  get wanted(): number {
    return this.#wanted.size
  }

  /** Takes what comes in under `key`; resolves once Redis has confirmed. @throws BrokerError away */
  async add(key: string, index: number, take: (message: Buffer) => void): Promise<void> {
    const partition = this.#partitions[index]
    const line = partition?.line
    if (partition === undefined || line?.ready !== true) {
      throw new BrokerError('away', 'Redis is away')
    }
    this.#wanted.set(key, { partition, take })
    try {
      await line.subscribe(key)
    } catch (error) {
      this.#wanted.delete(key)
      throw error
    }
  }

  remove(key: string): void {
    const wanted = this.#wanted.get(key)
    if (wanted === undefined) {
      return
    }
    this.#wanted.delete(key)
    wanted.partition.line?.unsubscribe(key)
  }

  async close(): Promise<void> {
    await this.#lines.close()
  }

  #open(redis: Redis): Line {
    const { masters, probeMs } = this.#options
    const line: Line = new Line({
      redis,
      probeMs,
      onMessage: (key, message) => {
        const wanted = this.#wanted.get(key)
        if (wanted !== undefined) {
          wanted.take(message)
        }
        // It was on its way when the channel was left.
        else {
          line.unsubscribe(key)
        }
      },
      onReady: () => this.#restore(line, this.#of(line)),
      onDoubt: () => {
        for (const partition of this.#of(line)) {
          partition.whole = false
        }
      },
      onRetry: () => {
        masters.refresh()
        this.#restore(line, this.#of(line))
      },
    })
    return line
  }

  #of(line: Line): readonly Partition[] {
    return this.#partitions.filter((partition) => partition.line === line)
  }

  /** Partitions go to the masters that have their slots now. */
  #arrange(): void {
    const moved = new Map<Line, Partition[]>()
    for (const partition of this.#partitions) {
      const line = this.#lines.of(partition.slot)
      if (line === partition.line) {
        continue
      }
      partition.line = line
      partition.whole = false
      if (line !== undefined) {
        moved.set(line, [...(moved.get(line) ?? []), partition])
      }
    }
    for (const [line, partitions] of moved) {
      if (line.ready) {
        this.#restore(line, partitions)
      }
    }
  }

  #restore(line: Line, partitions: readonly Partition[]): void {
    const names = new Map<Partition, string[]>(partitions.map((partition) => [partition, []]))
    for (const [key, { partition }] of this.#wanted) {
      names.get(partition)?.push(key)
    }
    line.subscribeAll([...names.values()]).then((stands) => {
      if (!stands) {
        return
      }
      for (const partition of partitions) {
        if (partition.line === line) {
          partition.whole = true
        }
      }
      this.#options.onRestored()
    })
  }
}
