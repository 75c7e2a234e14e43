/*
 * The processes that revocations wait for, in every partition. A process joins with its hello, and leaves
 * with its bye after it has closed every connection. A process that disconnects without a bye is waited
 * for until its lease has run out, and is then fenced. By then it has stopped delivering, by its own
 * clock.
 *
 * A stored lease names the last renewal, not the time when it runs out. An auth instance decides that a
 * lease has run out when it has seen the same renewal, or the same unacknowledged revocation, for
 * `fenceMs` on its monotonic clock (feed/fencer.ts). So no step of a wall clock can fence a live process.
 */

/** One process of a node. */
export interface NodeInstance {
  node: string
  instance: string
}

/** The stored record of a node's name: `instance sinceUs identity url`. */
export interface NodeRecord {
  instance: string
  /** Unix milliseconds. */
  since: number
  /** The identity that the node belongs to. */
  identity: string
  url?: string
}

export function nodeOf(value: string): NodeRecord {
  const [, instance = '', sinceUs, identity = '', url = ''] =
    /^(\S+) (\d+) (\S+) (.*)$/.exec(value) ?? []
  const since = Math.floor(Number(sinceUs) / 1000)
  return { instance, since, identity, ...(url === '' ? {} : { url }) }
}

/** Returns the name of a process in `leases`, in `pending` and in receipts. */
export function partName({ node, instance }: NodeInstance): string {
  return `${instance}:${node}`
}

/** A process that revocations of a partition wait for. */
export interface Lease extends NodeInstance {
  partition: number
  /**
   * The mark of the Redis that answered; it changes with a restart, a promotion, or a move of the
   * partition.
   */
  run: string
  /** The partition's microsecond of the join, or of the last renewal that counted; unique. */
  renewedUs: number
  /** How long `renewedUs` must stay the same, in milliseconds, until the lease has run out. */
  fenceMs: number
  /** The partition's microsecond of the fence; undefined while the process may deliver. */
  fencedUs?: number
  /** True for the process that has the node's name now. */
  current: boolean
  /** The partition's microsecond of the oldest revocation that waits for the process. */
  waitingUs?: number
}

/** Parses a stored lease: `renewedUs fenceMs fencedUs`, with `-` while not fenced. */
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
