import { script } from '@portcullis/redis'
import { partitionsOf, type Registry } from './registry.js'

const takeWrite = script<null>(new URL('./ping.lua', import.meta.url))

/** As long as a command may take: what answers more slowly is failed by then. */
const withinMs = 2000

/**
 * Returns the check that says why the registry cannot be used now, or nothing when it can: every
 * partition has a primary that takes writes, so leases can be renewed. On a Cluster one that has none is
 * enough for a no. One check serves all who ask meanwhile, so that whoever asks often costs Redis little.
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
    timer = setTimeout(() => resolve('Redis does not answer'), withinMs)
  })
  const asked = Promise.all([
    redis.exists(keys.meta),
    ...partitionsOf(registry).map((partition) => takeWrite(redis, [keys.clock(partition)], [])),
  ])
  const answered = asked.then(
    () => undefined,
    () => 'Redis does not answer, or takes no writes',
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
