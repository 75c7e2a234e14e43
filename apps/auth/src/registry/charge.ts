import { script } from '@portcullis/redis'
import type { Registry } from './registry.js'
import { run } from './run.js'

const add = script<[charged: 0 | 1, leftMs: number]>(new URL('./charge.lua', import.meta.url))

/** How much work of one kind is allowed in a window of time. */
export interface WorkLimit {
  /** Identifies the counter. */
  name: string
  maxUnits: number
  windowMs: number
}

/**
 * Adds units of work to a counter that all instances share.
 *
 * @returns undefined; or, when the units exceed the limit, the milliseconds to wait. Units beyond
 * the limit are not added.
 * @throws RegistryError `registry_unavailable`
 */
export async function charge(
  registry: Registry,
  { name, maxUnits, windowMs }: WorkLimit,
  units: number,
): Promise<number | undefined> {
  const key = `${registry.keys.limits}${name}`
  const [charged, leftMs] = await run(registry, add, [key], [units, maxUnits, windowMs])
  return charged === 1 ? undefined : leftMs
}
