import { ServerClocks } from '@portcullis/redis'
import type { Registry } from './registry.js'

/**
 * Returns a function that takes a time of `performance.now()`, and returns a registry whose scripts
 * Redis refuses from that time on.
 */
export function deadlines(registry: Registry): (until: number) => Registry {
  const clocks = new ServerClocks(registry.redis)
  return (until) => ({ ...registry, deadline: { clocks, until } })
}
