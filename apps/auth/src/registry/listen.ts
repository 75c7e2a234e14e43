import {
  close,
  type Master,
  type Masters,
  type PerMaster,
  perMaster,
  probe,
  type Redis,
} from '@portcullis/redis'
import { guard } from './run.js'

/** How often a silent connection is probed, in milliseconds. */
const probeMs = 2000

/**
 * Receives messages that auth instances publish through Redis. A message is a hint to read; it
 * carries no facts.
 */
export interface Listener {
  /** Calls `callback` with each message of the channel. Returns a function that stops this. */
  on(channel: string, callback: (message: string) => void): () => void
  /** Calls `callback` when messages may have been missed. Returns a function that stops this. */
  onGap(callback: () => void): () => void
  /** Resolves when the first subscription is in place. */
  readonly heard: Promise<void>
  close(): Promise<void>
}

/**
 * Subscribes to channels, on one connection to each master that has one of the slots. On a Cluster
 * every master passes on every message, so only one of the connections is listened to: the first
 * that is subscribed. When that connection is lost, the next one replaces it, even if its master
 * never returns.
 */
export function listen(
  masters: Masters,
  channels: readonly string[],
  slots: readonly number[],
): Listener {
  return new ChannelListener(masters, channels, slots)
}

/** A connection to one master. */
interface Subscriber {
  readonly redis: Redis
  subscribed: boolean
  readonly stopProbe: () => void
}

class ChannelListener implements Listener {
  readonly heard: Promise<void>
  readonly #callbacks: ReadonlyMap<string, Set<(message: string) => void>>
  readonly #gaps = new Set<() => void>()
  readonly #subscribers: PerMaster<Subscriber>
  #opened = () => {}
  #refused = (_cause: unknown) => {}

  constructor(masters: Masters, channels: readonly string[], slots: readonly number[]) {
    this.#callbacks = new Map(channels.map((name) => [name, new Set()]))
    this.heard = guard(
      new Promise<void>((resolve, reject) => {
        this.#opened = resolve
        this.#refused = reject
      }),
    )
    this.heard.catch(() => undefined)
    this.#subscribers = perMaster<Subscriber>(masters, {
      slots,
      make: (master) => this.#subscribe(master),
      end({ redis, stopProbe }) {
        stopProbe()
        return close(redis)
      },
    })
  }

  on(channel: string, callback: (message: string) => void): () => void {
    this.#callbacks.get(channel)?.add(callback)
    return () => this.#callbacks.get(channel)?.delete(callback)
  }

  onGap(callback: () => void): () => void {
    this.#gaps.add(callback)
    return () => this.#gaps.delete(callback)
  }

  async close(): Promise<void> {
    await this.#subscribers.close()
  }

  #subscribe(master: Master): Subscriber {
    const redis = master.connect('subscriber')
    const subscriber = { redis, subscribed: false, stopProbe: probe(redis, probeMs) }
    redis.on('message', (channel, message) => {
      const all = this.#subscribers.all()
      if (all.find(({ resource }) => resource.subscribed)?.resource !== subscriber) {
        return
      }
      for (const callback of [...(this.#callbacks.get(channel) ?? [])]) {
        callback(message)
      }
    })
    // `ready` comes again after each reconnect.
    redis.on('ready', () => {
      redis.subscribe(...this.#callbacks.keys()).then(
        () => {
          subscriber.subscribed = true
          this.#opened()
          this.#reportGap()
        },
        (cause) => {
          this.#refused(cause)
          redis.disconnect(true)
        },
      )
    })
    redis.on('close', () => {
      if (subscriber.subscribed) {
        subscriber.subscribed = false
        this.#reportGap()
      }
    })
    redis.connect().catch((cause) => this.#refused(cause))
    return subscriber
  }

  #reportGap(): void {
    for (const callback of [...this.#gaps]) {
      callback()
    }
  }
}
