import { close, type Masters, perMaster, probe } from '@portcullis/redis'
import { guard } from './run.js'

/** How often a connection that brings nothing is asked whether it is alive, in milliseconds. */
const probeMs = 2000

/** What other auth instances say through Redis' Pub/Sub: hints to look, never facts. */
export interface Listener {
  /** Calls back with each message of the channel; gives what stops that. */
  on(channel: string, callback: (message: string) => void): () => void
  /** Calls back when messages may have been missed: everyone looks again. Gives what stops that. */
  onGap(callback: () => void): () => void
  /** Resolves when it hears for the first time. */
  readonly heard: Promise<void>
  close(): Promise<void>
}

/**
 * Listens to some channels, on a connection of its own to each master that has one of the slots. On a
 * Cluster every node passes on what is published on any, so one of them is listened to at a time: the
 * first that stands. When it is lost the next one takes its place, whether or not its master comes back.
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
      const one = { redis, stands: false, stop: probe(redis, probeMs) }
      redis.on('message', (channel, message) => {
        if (subscribers.all().find(({ thing }) => thing.stands)?.thing !== one) {
          return
        }
        for (const callback of [...(callbacks.get(channel) ?? [])]) {
          callback(message)
        }
      })
      // A connection that is lost meanwhile comes back, and this with it.
      redis.on('ready', () => {
        redis.subscribe(...channels).then(
          () => {
            one.stands = true
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
        if (!one.stands) {
          return
        }
        one.stands = false
        missed()
      })
      redis.connect().catch(refused)
      return one
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
