/*
 * Nodes, in every partition: whom a revocation waits for. A node enters with its hello, and leaves
 * with its bye, after it has closed every connection. One that is gone without bye is waited for
 * until its lease is out; then it is fenced. It has to be: it gave up before, on its own clock.
 *
 * A lease is a count of renewals, not a time. Whether one is out is decided by whoever has seen the
 * same count for `fenceMs` on a monotonic clock (feed/fencer.ts), so no step of any wall clock can
 * fence a node that lives.
 */

/** One process of a node, as it said hello. */
export interface NodeInstance {
  node: string
  instance: string
}

/** What a partition keeps of a node: `instance since url`. */
export interface NodeRecord {
  instance: string
  /** Unix milliseconds. */
  since: number
  url?: string
}

export function nodeOf(value: string): NodeRecord {
  const [, instance = '', since, url = ''] = /^(\S+) (\S+) (.*)$/.exec(value) ?? []
  return { instance, since: Number(since), ...(url === '' ? {} : { url }) }
}

/** What names a process in `leases`, begins its members of `pending`, and ends its fields of receipts. */
export function partName({ node, instance }: NodeInstance): string {
  return `${instance}:${node}`
}

/** A process that revocations of a partition wait for. */
export interface Lease extends NodeInstance {
  partition: number
  /** Which Redis has said so; another after a restart, a failover, or when the partition moves. */
  run: string
  /** Rises with each renewal. */
  renewals: number
  /** How long the count must have stood still, in milliseconds, until the lease is out. */
  fenceMs: number
  /** The partition's microsecond at which it was fenced; undefined while it may deliver. */
  fencedUs?: number
  /** Whether it is the process that has the node's name now. */
  current: boolean
}

/** A lease from what a partition keeps of it: `renewals fenceMs fencedUs`, `-` while not fenced. */
export function leaseOf(part: string, value: string): Omit<Lease, 'partition' | 'run' | 'current'> {
  const colon = part.indexOf(':')
  const [, renewals, fenceMs, fencedUs] = /^(\d+) (\d+) (\S+)$/.exec(value) ?? []
  return {
    instance: part.slice(0, colon),
    node: part.slice(colon + 1),
    renewals: Number(renewals),
    fenceMs: Number(fenceMs),
    ...(fencedUs === undefined || fencedUs === '-' ? {} : { fencedUs: Number(fencedUs) }),
  }
}
