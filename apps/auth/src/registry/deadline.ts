import { ServerClocks } from '@portcullis/redis'
import type { Registry } from './registry.js'

/** Returns a function that gives a registry whose scripts Redis refuses after `until` of `performance.now()`. */
export function deadlines(registry: Registry): (until: number) => Registry {
  const clocks = new ServerClocks(registry.redis)
  return (until) => ({ ...registry, deadline: { clocks, until } })
}
