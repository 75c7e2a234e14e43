import type { Redis } from './connect.js'

/**
 * Asks a connection every `everyMs` whether it is alive, and drops it when no answer came in that
 * time: a Redis that hangs, or a network that swallows packets, otherwise leaves a subscriber
 * connected and deaf. ioredis then connects again. Gives the way to stop.
 */
export function probe(redis: Redis, everyMs: number): () => void {
  let asked = false
  const timer = setInterval(() => {
    if (redis.status !== 'ready') {
      asked = false
    } else if (asked) {
      asked = false
      redis.disconnect(true)
    } else {
      asked = true
      redis.ping().then(
        () => {
          asked = false
        },
        () => undefined,
      )
    }
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
