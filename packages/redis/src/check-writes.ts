import type { Commands } from './commands.js'

/**
 * Resolves once every server that has one of `keys` accepts writes. Writes nothing: an empty text
 * into a key that does not exist has no effect, and is refused as any other write is, by a replica
 * and by a server whose memory, disk or replicas do not suffice.
 *
 * @param keys - names that nothing else uses
 * @throws errors of Redis
 */
export async function checkWrites(redis: Commands, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => redis.setrange(key, 0, '')))
}
