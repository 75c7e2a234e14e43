/** A publication as a client has got it: its number, and the offset that it came with. */
export interface Heard {
  n: number
  offset: number
}

/**
 * Holds what a client has heard in a channel against what was acknowledged to those who published
 * there, by number, with the offset that the acknowledgement gave. Gives every breach of the promise,
 * in words: each acknowledged publication exactly once, in order.
 *
 * What was never acknowledged may have been published or not; once and in its place, if so.
 */
export function judge(
  heard: readonly Heard[],
  acknowledged: ReadonlyMap<number, number>,
): string[] {
  const breaches: string[] = []
  const offsets = new Map<number, number>()
  let last = 0
  for (const { n, offset } of heard) {
    if (offsets.has(n)) {
      breaches.push(`${n} came twice`)
    } else if (offset <= last) {
      breaches.push(`${n} came at ${offset}, after ${last}`)
    }
    const acknowledgedAt = acknowledged.get(n)
    if (acknowledgedAt !== undefined && acknowledgedAt !== offset) {
      breaches.push(`${n} came at ${offset}, and was acknowledged at ${acknowledgedAt}`)
    }
    offsets.set(n, offset)
    last = Math.max(last, offset)
  }
  for (const [n] of acknowledged) {
    if (!offsets.has(n)) {
      breaches.push(`${n} is missing`)
    }
  }
  return breaches
}
