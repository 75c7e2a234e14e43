import type { Script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import type { Registry } from './registry.js'

/** Runs a script; a failure of Redis is an error, never an answer. */
export function run<Reply>(
  registry: Pick<Registry, 'redis'>,
  script: Script<Reply>,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<Reply> {
  return guard(script(registry.redis, keys, args))
}

/**
 * Waits for commands sent to Redis.
 * @throws RegistryError `registry_unavailable`, with what Redis or the connection said as its cause.
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
    'Redis did not answer as it should; check that it runs, that it is the primary, and REDIS_URL',
    { cause },
  )
}
