/** What follows from the lease, in milliseconds. */
export interface LeaseTimes {
  /** How often every auth instance looks at the leases. */
  pollMs: number
  /** A node whose renewals have stood still for so long is fenced. */
  fenceMs: number
  /** How long a node may deliver, from when it sent its renewal. */
  ttlMs: number
  /** A renewal is counted only if all is acknowledged that was committed longer ago than this. */
  ackMs: number
}

/**
 * The parts of a lease of `leaseMs`, which is what a receipt may wait for a node. The last renewal that
 * leaves a revocation out of account is counted `ackMs` after its commit, is seen one poll later, and
 * its lease is seen to be out one poll after that; a twentieth is left for Redis to answer and for
 * clocks that run slowly. `ackMs` has to be more than the way to the node and back: with revocations
 * that never end, a node that needs longer for each would be fenced. The node's time is shorter than
 * the fence by more than a twentieth: so much may one machine's monotonic clock run faster than another's.
 */
export function leaseTimes(leaseMs: number): LeaseTimes {
  return {
    pollMs: Math.ceil(leaseMs / 40),
    fenceMs: Math.floor(leaseMs * 0.7),
    ttlMs: Math.floor(leaseMs * 0.65),
    ackMs: Math.ceil(leaseMs / 5),
  }
}
