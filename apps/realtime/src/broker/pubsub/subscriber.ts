import { close, type Masters, type PerMaster, perMaster, type Redis } from '@portcullis/redis'
import { BrokerError } from '../errors.js'
import { SubscriberConnection } from './subscriber-connection.js'

export interface SubscriberOptions {
  masters: Masters
  /** The Cluster slot of each partition. */
  slots: readonly number[]
  /**
   * Interval of the probes of each connection, and the time that Redis has for its reply, in
   * milliseconds.
   */
  probeMs: number
  /** Messages of some partitions arrive again after an interruption. */
  onRestored: () => void
}

interface Partition {
  readonly slot: number
  /** The connection to the master that has the slot. */
  connection: SubscriberConnection | undefined
  /** True when Redis has confirmed every wanted subscription of the partition. */
  isComplete: boolean
}

interface Wanted {
  readonly partition: Partition
  readonly onMessage: (message: Buffer) => void
}

/**
 * The node's subscriptions in Redis: one connection to each master, for all partitions of its
 * slots.
 *
 * All commands of a partition use one connection and Redis handles them in order, so an SSUBSCRIBE
 * sent after an SUNSUBSCRIBE wins and needs no state here. After a reconnect, and when a partition
 * moves to another master, all its wanted subscriptions are sent again; until Redis confirms them
 * the partition is incomplete.
 */
export class Subscriber {
  readonly #options: SubscriberOptions
  readonly #wanted = new Map<string, Wanted>()
  readonly #partitions: readonly Partition[]
  readonly #connections: PerMaster<SubscriberConnection>

  constructor(options: SubscriberOptions) {
    const { masters, slots } = options
    this.#options = options
    this.#partitions = slots.map((slot) => ({ slot, connection: undefined, isComplete: false }))
    this.#connections = perMaster<SubscriberConnection>(masters, {
      slots,
      make: (master) => this.#connect(master.connect('subscriber', 'realtime-sub')),
      end: async (connection) => {
        connection.close()
        await close(connection.redis)
      },
      onChange: () => this.#assignPartitions(),
    })
    this.#assignPartitions()
  }

  /** Resolves when each master has been connected once; rejects when one cannot be. */
  async open(): Promise<void> {
    await Promise.all(this.#connections.all().map(({ resource }) => resource.opened))
  }

  /** Returns which subscriptions are interrupted; undefined when all are confirmed. */
  problem(): string | undefined {
    const incomplete = this.#partitions.filter(({ isComplete }) => !isComplete)
    if (incomplete.length === 0) {
      return undefined
    }
    const away = incomplete.filter(({ connection }) => connection?.ready !== true)
    const of = (some: readonly Partition[]) =>
      this.#partitions.length === 1
        ? ''
        : ` for ${some.length} of ${this.#partitions.length} partitions`
    return away.length > 0 ? `Redis is away${of(away)}` : `subscribing again${of(incomplete)}`
  }

  /** Number of wanted subscriptions. */
  get wanted(): number {
    return this.#wanted.size
  }

  /** Subscribes to `key`; resolves once Redis has confirmed. @throws BrokerError away */
  async add(key: string, index: number, onMessage: (message: Buffer) => void): Promise<void> {
    const partition = this.#partitions[index]
    const connection = partition?.connection
    if (partition === undefined || connection?.ready !== true) {
      throw new BrokerError('away', 'Redis is away')
    }
    this.#wanted.set(key, { partition, onMessage })
    try {
      await connection.subscribe(key)
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
    wanted.partition.connection?.unsubscribe(key)
  }

  async close(): Promise<void> {
    await this.#connections.close()
  }

  #connect(redis: Redis): SubscriberConnection {
    const { masters, probeMs } = this.#options
    const connection: SubscriberConnection = new SubscriberConnection({
      redis,
      probeMs,
      onMessage: (key, message) => {
        const wanted = this.#wanted.get(key)
        if (wanted !== undefined) {
          wanted.onMessage(message)
        } else {
          // A message that was in flight when the channel was left.
          connection.unsubscribe(key)
        }
      },
      onReady: () => this.#resubscribe(connection, this.#partitionsOf(connection)),
      onInterrupted: () => {
        for (const partition of this.#partitionsOf(connection)) {
          partition.isComplete = false
        }
      },
      onRetry: () => {
        masters.refresh()
        this.#resubscribe(connection, this.#partitionsOf(connection))
      },
    })
    return connection
  }

  #partitionsOf(connection: SubscriberConnection): readonly Partition[] {
    return this.#partitions.filter((partition) => partition.connection === connection)
  }

  /** Assigns each partition to the master that has its slot now. */
  #assignPartitions(): void {
    const moved = new Map<SubscriberConnection, Partition[]>()
    for (const partition of this.#partitions) {
      const connection = this.#connections.of(partition.slot)
      if (connection === partition.connection) {
        continue
      }
      partition.connection = connection
      partition.isComplete = false
      if (connection !== undefined) {
        moved.set(connection, [...(moved.get(connection) ?? []), partition])
      }
    }
    for (const [connection, partitions] of moved) {
      if (connection.ready) {
        this.#resubscribe(connection, partitions)
      }
    }
  }

  #resubscribe(connection: SubscriberConnection, partitions: readonly Partition[]): void {
    const names = new Map<Partition, string[]>(partitions.map((partition) => [partition, []]))
    for (const [key, { partition }] of this.#wanted) {
      names.get(partition)?.push(key)
    }
    connection.subscribeAll([...names.values()]).then((areConfirmed) => {
      if (!areConfirmed) {
        return
      }
      for (const partition of partitions) {
        if (partition.connection === connection) {
          partition.isComplete = true
        }
      }
      this.#options.onRestored()
    })
  }
}
