import slotOfKey from 'cluster-key-slot'

/** How many slots a Cluster has. */
export const slotCount = 16_384

/** A tag may be so far from its place, where places lie closer: it only has to be near. */
const leastReach = 64

/**
 * The slot of a key: of its hash tag, if it has one. As ioredis sees it, which in a key that begins with
 * an empty tag, `{}{a}`, takes the next one, and Redis does not.
 */
export function slotOf(key: string): number {
  return slotOfKey(key)
}

/**
 * A hash tag, without its braces, for partition `index` of `count`: its slot lies near the middle of
 * the partition's share of all slots. So the partitions are spread evenly over the masters of any
 * Cluster whose slots are, however many masters there are. The same on any machine; `prefix` must
 * have no brace. Gives `prefix:index`, with a short ending where that alone is too far from its place.
 */
export function partitionTag(prefix: string, index: number, count: number): string {
  const share = slotCount / count
  const place = (index + 0.5) * share
  const reach = count === 1 ? slotCount : Math.max(leastReach, share / 8)
  const base = `${prefix}:${index}`
  for (let tag = base, n = 0; ; n += 1, tag = `${base}.${n.toString(36)}`) {
    if (Math.abs(slotOf(`{${tag}}`) - place) <= reach) {
      return tag
    }
  }
}
