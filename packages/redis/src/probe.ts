import { type Commands, isCluster } from './commands.js'
import type { Redis } from './connect.js'

/**
 * Pings a connection every `everyMs` (on a Cluster, that to each master), and drops it when the
 * previous ping was not answered. Otherwise a Redis that hangs, or a network that drops packets,
 * would leave a subscriber connected without messages. ioredis then connects again. Returns a
 * function that stops the pings.
 */
export function probe(redis: Commands, everyMs: number): () => void {
  const asked = new WeakSet<Redis>()
  const timer = setInterval(() => {
    for (const each of isCluster(redis) ? redis.nodes('master') : [redis]) {
      if (each.status !== 'ready') {
        asked.delete(each)
      } else if (asked.delete(each)) {
        each.disconnect(true)
      } else {
        asked.add(each)
        each.ping().then(
          () => asked.delete(each),
          () => undefined,
        )
      }
    }
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
