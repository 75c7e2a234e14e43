import { runWithin, type Script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import type { Registry } from './registry.js'

/**
 * Runs a script, before the registry's deadline if it has one.
 *
 * @throws RegistryError `registry_unavailable`
 */
export function run<Reply>(
  registry: Pick<Registry, 'redis' | 'deadline'>,
  script: Script<Reply>,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<Reply> {
  return guard(runWithin(script, registry, keys, args))
}

/**
 * Waits for commands sent to Redis.
 *
 * @throws RegistryError `registry_unavailable`, with the error of Redis or the connection as its
 * cause
 */
export async function guard<Reply>(work: Promise<Reply>): Promise<Reply> {
  try {
    return await work
  } catch (cause) {
    throw unavailable(cause)
  }
}

export function unavailable(cause: unknown): RegistryError {
  return new RegistryError(
    'registry_unavailable',
    'Redis did not answer as expected; check that it runs, that it is the primary, and REDIS_URL',
    { cause },
  )
}
