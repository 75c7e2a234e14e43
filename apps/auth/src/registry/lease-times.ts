/** What follows from the lease, in milliseconds. */
export interface LeaseTimes {
  /** How often every auth instance looks at the leases. */
  pollMs: number
  /** A node whose renewals have stood still for so long is fenced. */
  fenceMs: number
  /** How long a node may deliver, from when it sent its renewal. */
  ttlMs: number
}

/**
 * The parts of a lease of `leaseMs`, which is what a receipt may wait for a node. A renewal is seen
 * one poll after it was counted, and a lease that is out one poll after that; a twentieth is left for
 * Redis to answer. The node's time is shorter than the fence by more than a twentieth: so much may
 * one machine's monotonic clock run faster than another's.
 */
export function leaseTimes(leaseMs: number): LeaseTimes {
  return {
    pollMs: Math.ceil(leaseMs / 40),
    fenceMs: Math.floor(leaseMs * 0.9),
    ttlMs: Math.floor(leaseMs * 0.85),
  }
}
