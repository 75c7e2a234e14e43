import { script } from '@portcullis/redis'
import type { Registry } from './registry.js'
import { run } from './run.js'

const add = script<[charged: 0 | 1, leftMs: number]>(new URL('./charge.lua', import.meta.url))

/** A counter of work, and how much it takes in a window of time. */
export interface WorkLimit {
  /** Whose work it counts. */
  name: string
  maxUnits: number
  windowMs: number
}

/**
 * Charges units of work to a counter that all instances share. Returns undefined, or how many
 * milliseconds to wait when they would go beyond the limit; then nothing is charged.
 *
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
