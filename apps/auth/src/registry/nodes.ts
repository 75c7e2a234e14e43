/*
 * Nodes, in every partition: whom a revocation waits for. A node enters with its hello, and leaves
 * with its bye, after it has closed every connection. One that is gone without bye stays, and its
 * receipts stay pending.
 *
 * Leases come here: a sorted set in each partition, node -> end of its lease, written by the
 * renewal; a pending part whose node's lease has run out then reads as `fenced`, which completes a
 * receipt like `acked`. Until then nothing is fenced.
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

/** What begins the members of `pending` and ends the fields of receipts that are this node's. */
export function partName({ node, instance }: NodeInstance): string {
  return `${instance}:${node}`
}
