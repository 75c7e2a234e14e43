import { type Commands, isCluster } from './commands.js'
import type { Redis } from './connect.js'

/**
 * Asks a connection every `everyMs` whether it is alive, of a Cluster that to each master, and drops
 * it when no answer came in that time: a Redis that hangs, or a network that swallows packets,
 * otherwise leaves a subscriber connected and deaf. ioredis then connects again. Gives the way to stop.
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
