/** The times that follow from the lease, in milliseconds. */
export interface LeaseTimes {
  /** How often every auth instance reads the leases. */
  pollMs: number
  /**
   * A node is fenced when its last renewal, or a revocation that it has not acknowledged, is this
   * old.
   */
  fenceMs: number
  /** How long a node may deliver after it has sent a renewal. */
  ttlMs: number
}

/**
 * Returns the times for a lease of `leaseMs`, the longest time that a receipt waits for a node.
 *
 * An auth instance sees a revocation at the next poll, and fences a node that leaves it
 * unacknowledged at the first poll at least `fenceMs` later: two polls and the fence are three
 * quarters of the lease. The last quarter is for five round trips to Redis, and for slow clocks.
 * `ttlMs` is more than a twentieth shorter than `fenceMs`: the monotonic clock of one machine may
 * run faster than another's by that much.
 */
export function leaseTimes(leaseMs: number): LeaseTimes {
  return {
    pollMs: Math.ceil(leaseMs / 40),
    fenceMs: Math.floor(leaseMs * 0.7),
    ttlMs: Math.floor(leaseMs * 0.65),
  }
}
