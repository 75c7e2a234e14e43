import { script } from '@portcullis/redis'
import { partitionsOf, type Registry } from './registry.js'

const ping = script<null>(new URL('./ping.lua', import.meta.url))

/** The time limit of a command: a slower Redis fails the check. */
const timeoutMs = 2000

/**
 * Returns a check that resolves to the reason why the registry cannot be used, or undefined when it
 * can: the primary of every partition accepts writes, so leases can be renewed. Concurrent calls
 * share one check, so that frequent health checks cost Redis little.
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
  const { redis, keys } = registry
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('Redis does not answer'), timeoutMs)
  })
  const asked = Promise.all([
    redis.exists(keys.meta),
    ...partitionsOf(registry).map((partition) => ping(redis, [keys.clock(partition)], [])),
  ])
  const answered = asked.then(
    () => undefined,
    () => 'Redis does not answer, or takes no writes',
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
