import type { Commands } from '@portcullis/redis'

/** Default of auth's `REDIS_PREFIX`. */
const defaultPrefix = 'portcullis'

/**
 * Returns true when this Redis holds auth's registry and the node's user can read it: an attacker
 * who takes over the node could then make any identity an administrator. Checks one key without
 * secrets (`meta` in auth's `registry/keys.ts`) under the node's prefix and under auth's default
 * prefix. False proves nothing: auth may use another prefix, or create its registry later.
 */
export async function readsRegistry(redis: Commands, prefix: string): Promise<boolean> {
  const prefixes = new Set([prefix, defaultPrefix])
  const found = await Promise.all(
    [...prefixes].map((each) => redis.exists(`{${each}:0}:meta`).catch(() => 0)),
  )
  return found.includes(1)
}
