import { script } from '@portcullis/redis'
import { partitionOf } from './ids.js'
import { partitionsOf, type Registry } from './registry.js'

const ping = script<null>(new URL('./ping.lua', import.meta.url))

/** The time limit of a command: a slower Redis fails the check. */
const timeoutMs = 2000

/**
 * Returns a check that resolves to the reason why the registry cannot be used, or undefined when it
 * can: the primary of every partition accepts writes, so leases can be renewed, and Redis has not
 * lost the registry since auth opened it. Concurrent calls share one check, so that frequent health
 * checks cost Redis little.
 */
export function registryCheck(registry: Registry): () => Promise<string | undefined> {
  let checked: Promise<string | undefined> | undefined
  return () => {
    checked ??= check(registry).finally(() => {
      checked = undefined
    })
    return checked
  }
}

async function check(registry: Registry): Promise<string | undefined> {
  const { redis, keys, partitions, administrator } = registry
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('Redis does not answer'), timeoutMs)
  })
  const asked = Promise.all([
    redis.exists(keys.meta),
    administrator === undefined
      ? 1
      : redis.exists(keys.identity(partitionOf(administrator, partitions), administrator)),
    ...partitionsOf(registry).map((partition) => ping(redis, [keys.clock(partition)], [])),
  ])
  const answered = asked.then(
    ([meta, hasAdministrator]) => lossOf(meta === 1, hasAdministrator === 1),
    () => 'Redis does not answer, or takes no writes',
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}

/** Says what Redis has lost: it was emptied, or replaced by an empty one. */
function lossOf(hasMeta: boolean, hasAdministrator: boolean): string | undefined {
  if (hasMeta && hasAdministrator) {
    return undefined
  }
  const lost = hasMeta ? 'the administrator' : 'the registry'
  return `Redis has lost ${lost}; restore a backup, or restart auth, which creates what is missing`
}
