import { partitionsOf, type Registry } from './registry.js'

const withinMs = 1000

/**
 * Says why the registry cannot be used now, or nothing when it can: every partition has a primary that
 * answers. On a Cluster one that has none is enough for a no.
 */
export async function answers(registry: Registry): Promise<string | undefined> {
  const { redis, keys } = registry
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('Redis does not answer'), withinMs)
  })
  const asked = Promise.all([
    redis.exists(keys.meta),
    ...partitionsOf(registry).map((partition) => redis.exists(keys.roster(partition))),
  ])
  const answered = asked.then(
    () => undefined,
    () => 'Redis does not answer',
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
