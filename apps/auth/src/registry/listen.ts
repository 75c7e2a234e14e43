import { close, type Masters, perMaster, probe } from '@portcullis/redis'
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
  const callbacks = new Map(channels.map((name) => [name, new Set<(message: string) => void>()]))
  const gaps = new Set<() => void>()
  let opened = () => {}
  let refused = (_cause: unknown) => {}
  const heard = guard(
    new Promise<void>((resolve, reject) => {
      opened = resolve
      refused = reject
    }),
  )
  heard.catch(() => undefined)

  const missed = () => {
    for (const callback of [...gaps]) {
      callback()
    }
  }
  const subscribers = perMaster(masters, {
    slots,
    make(master) {
      const redis = master.connect('subscriber')
      const subscriber = { redis, subscribed: false, stop: probe(redis, probeMs) }
      redis.on('message', (channel, message) => {
        if (
          subscribers.all().find(({ resource }) => resource.subscribed)?.resource !== subscriber
        ) {
          return
        }
        for (const callback of [...(callbacks.get(channel) ?? [])]) {
          callback(message)
        }
      })
      // `ready` comes again after each reconnect.
      redis.on('ready', () => {
        redis.subscribe(...channels).then(
          () => {
            subscriber.subscribed = true
            opened()
            missed()
          },
          (cause) => {
            refused(cause)
            redis.disconnect(true)
          },
        )
      })
      redis.on('close', () => {
        if (!subscriber.subscribed) {
          return
        }
        subscriber.subscribed = false
        missed()
      })
      redis.connect().catch(refused)
      return subscriber
    },
    end({ redis, stop }) {
      stop()
      return close(redis)
    },
  })
  return {
    heard,
    on(channel, callback) {
      callbacks.get(channel)?.add(callback)
      return () => callbacks.get(channel)?.delete(callback)
    },
    onGap(callback) {
      gaps.add(callback)
      return () => gaps.delete(callback)
    },
    async close() {
      await subscribers.close()
    },
  }
}
