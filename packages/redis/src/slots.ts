import slotOfKey from 'cluster-key-slot'

/** The number of slots of a Cluster. */
export const slotCount = 16_384

/** A tag may be this many slots away from its ideal place, even when places are closer together. */
const minReach = 64

/**
 * Returns the slot of a key (of its hash tag, if it has one) as ioredis computes it. For a key with
 * an empty tag first, `{}{a}`, ioredis uses the next tag, unlike Redis.
 */
export function slotOf(key: string): number {
  return slotOfKey(key)
}

/**
 * Returns a hash tag, without braces, for partition `index` of `count`: `prefix:index`, with a
 * short suffix when needed. Its slot is near the middle of the partition's share of all slots, so
 * the partitions are spread evenly over the masters of any Cluster whose slots are. The result is
 * the same on every machine. `prefix` must not contain a brace.
 */
export function partitionTag(prefix: string, index: number, count: number): string {
  const share = slotCount / count
  const place = (index + 0.5) * share
  const reach = count === 1 ? slotCount : Math.max(minReach, share / 8)
  const base = `${prefix}:${index}`
  for (let tag = base, n = 0; ; n += 1, tag = `${base}.${n.toString(36)}`) {
    if (Math.abs(slotOf(`{${tag}}`) - place) <= reach) {
      return tag
    }
  }
}
