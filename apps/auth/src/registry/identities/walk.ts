import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'

const namesAtOnce = 100

export interface IdentityRange {
  /** Starts after this name. */
  after?: string | undefined
  /** Default: all. */
  partitions?: readonly number[] | undefined
}

/** Yields the names of all identities in order, a page at a time. */
export async function* walkIdentities(
  registry: Registry,
  { after, partitions }: IdentityRange = {},
): AsyncGenerator<readonly string[]> {
  let last = after
  for (;;) {
    const { names, more } = await readNames(registry, namesAtOnce, { after: last, partitions })
    if (names.length > 0) {
      yield names
    }
    if (!more) {
      return
    }
    last = names.at(-1)
  }
}

/** Returns the next names, and true when more follow. */
export async function readNames(
  registry: Registry,
  limit: number,
  { after, partitions = partitionsOf(registry) }: IdentityRange,
): Promise<{ names: string[]; more: boolean }> {
  const { redis, keys } = registry
  const from = after === undefined ? '-' : `(${after}`
  const lists = await Promise.all(
    partitions.map((partition) =>
      guard(redis.zrangebylex(keys.identities(partition), from, '+', 'LIMIT', 0, limit + 1)),
    ),
  )
  const names = lists.flat().sort()
  return { names: names.slice(0, limit), more: names.length > limit }
}
