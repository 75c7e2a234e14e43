/** A publication that a client received: its number and its offset. */
export interface Received {
  n: number
  offset: number
}

/**
 * Compares what a client received in a channel with the acknowledged publications (number and offset).
 * Returns a text for every violation: each acknowledged publication must arrive exactly once, in order.
 *
 * A publication that was never acknowledged may arrive or not, but at most once and in order.
 */
export function judge(
  received: readonly Received[],
  acknowledged: ReadonlyMap<number, number>,
): string[] {
  const violations: string[] = []
  const offsets = new Map<number, number>()
  let last = 0
  for (const { n, offset } of received) {
    if (offsets.has(n)) {
      violations.push(`${n} arrived twice`)
    } else if (offset <= last) {
      violations.push(`${n} arrived at offset ${offset}, after ${last}`)
    }
    const acknowledgedAt = acknowledged.get(n)
    if (acknowledgedAt !== undefined && acknowledgedAt !== offset) {
      violations.push(`${n} arrived at offset ${offset}, but was acknowledged at ${acknowledgedAt}`)
    }
    offsets.set(n, offset)
    last = Math.max(last, offset)
  }
  for (const [n] of acknowledged) {
    if (!offsets.has(n)) {
      violations.push(`${n} is missing`)
    }
  }
  return violations
}
