/*
 * Nodes, in every partition: whom a revocation waits for. A node enters with its hello, and leaves
 * with its bye, after it has closed every connection. One that is gone without bye is waited for
 * until its lease is out; then it is fenced. It has to be: it gave up before, on its own clock.
 *
 * A lease in Redis says which renewal was the last, not until when it lasts. Whether one is out is
 * decided by whoever has seen the same renewal, or a revocation that the node leaves unacknowledged, for
 * `fenceMs` on a monotonic clock (feed/fencer.ts), so no step of any wall clock can fence a node that
 * lives.
 */

/** One process of a node, as it said hello. */
export interface NodeInstance {
  node: string
  instance: string
}

/** What a partition keeps of a node: `instance sinceUs identity url`. */
export interface NodeRecord {
  instance: string
  /** Unix milliseconds. */
  since: number
  /** Whose node it is. */
  identity: string
  url?: string
}

export function nodeOf(value: string): NodeRecord {
  const [, instance = '', sinceUs, identity = '', url = ''] =
    /^(\S+) (\d+) (\S+) (.*)$/.exec(value) ?? []
  const since = Math.floor(Number(sinceUs) / 1000)
  return { instance, since, identity, ...(url === '' ? {} : { url }) }
}

/** What names a process in `leases`, begins its members of `pending`, and ends its fields of receipts. */
export function partName({ node, instance }: NodeInstance): string {
  return `${instance}:${node}`
}

/** A process that revocations of a partition wait for. */
export interface Lease extends NodeInstance {
  partition: number
  /** Mark of the Redis that says so; another after a restart, a promotion, or when the partition moves. */
  run: string
  /** The partition's microsecond of the join, or of the last renewal that counted; never twice the same. */
  renewedUs: number
  /** How long `renewedUs` must have stood still, in milliseconds, until the lease is out. */
  fenceMs: number
  /** The partition's microsecond at which it was fenced; undefined while it may deliver. */
  fencedUs?: number
  /** Whether it is the process that has the node's name now. */
  current: boolean
  /** The partition's microsecond of the oldest revocation that waits for it. */
  waitingUs?: number
}

/** A lease from what a partition keeps of it: `renewedUs fenceMs fencedUs`, `-` while not fenced. */
export function leaseOf(
  part: string,
  value: string,
): Omit<Lease, 'partition' | 'run' | 'current' | 'waitingUs'> {
  const colon = part.indexOf(':')
  const [, renewedUs, fenceMs, fencedUs] = /^(\d+) (\d+) (\S+)$/.exec(value) ?? []
  return {
    instance: part.slice(0, colon),
    node: part.slice(colon + 1),
    renewedUs: Number(renewedUs),
    fenceMs: Number(fenceMs),
    ...(fencedUs === undefined || fencedUs === '-' ? {} : { fencedUs: Number(fencedUs) }),
  }
}
