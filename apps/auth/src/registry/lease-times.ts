/** What follows from the lease, in milliseconds. */
export interface LeaseTimes {
  /** How often every auth instance looks at the leases. */
  pollMs: number
  /** A node whose renewals, or acknowledgements, have stood still for so long is fenced. */
  fenceMs: number
  /** How long a node may deliver, from when it sent its renewal. */
  ttlMs: number
}

/**
 * The parts of a lease of `leaseMs`, which is what a receipt may wait for a node. A revocation is seen
 * at the next look at the leases, and a node that leaves it unacknowledged is fenced at the first look
 * that is `fenceMs` later: two polls and the fence are three quarters of the lease. A quarter is left
 * for five round trips to Redis, and for clocks that run slowly. The node's time
 * is shorter than the fence by more than a twentieth: so much may one machine's monotonic clock run
 * faster than another's.
 */
export function leaseTimes(leaseMs: number): LeaseTimes {
  return {
    pollMs: Math.ceil(leaseMs / 40),
    fenceMs: Math.floor(leaseMs * 0.7),
    ttlMs: Math.floor(leaseMs * 0.65),
  }
}
