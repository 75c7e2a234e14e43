import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Meters = ReturnType<typeof meters>

export interface FeedState {
  /** Nodes whose feed connection is open here. */
  readonly nodes: number
  /** Unix milliseconds of the last revocation that the feed brought; 0 before any. */
  readonly lastEventAt: number
}

/** From a revocation's commit until a node has applied it: milliseconds, else at most its lease. */
const latencySeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30,
]

export interface MeterSources {
  feed: () => FeedState
  /** Parts of receipts that wait for a node, in the whole installation. */
  countPending: () => Promise<number>
}

/** Counts of what auth does. No label ever has a name, an id or a token in it. */
export function meters(register: Registry, { feed, countPending }: MeterSources) {
  const registers = [register]
  new Gauge({
    name: 'portcullis_feed_nodes',
    help: 'Nodes whose feed connection is open at this instance',
    registers,
    collect() {
      this.set(feed().nodes)
    },
  })
  new Gauge({
    name: 'portcullis_feed_position_seconds',
    help: 'Unix time of the last revocation that the feed brought to this instance',
    registers,
    collect() {
      this.set(feed().lastEventAt / 1000)
    },
  })
  new Gauge({
    name: 'portcullis_receipt_parts_pending',
    help: 'Parts of receipts, one for each node and partition, that wait for a node; the same at every instance, NaN when Redis does not say',
    registers,
    async collect() {
      this.set(await countPending().catch(() => Number.NaN))
    },
  })
  const settled = new Counter({
    name: 'portcullis_receipt_parts_total',
    help: 'Parts of receipts that waited for a node and no longer do: it acknowledged, or its lease ran out',
    labelNames: ['state'] as const,
    registers,
  })
  const latency = new Histogram({
    name: 'portcullis_revocation_seconds',
    help: 'From the commit of a revocation until a part of its receipt was acknowledged or fenced',
    labelNames: ['state'] as const,
    buckets: latencySeconds,
    registers,
  })
  // From the start: an alert on a counter that appears with its first 1 never sees it rise.
  for (const state of ['acked', 'fenced'] as const) {
    settled.inc({ state }, 0)
    latency.zero({ state })
  }
  return {
    /** Parts of receipts that this instance has settled, so many milliseconds after the commit. */
    settled(state: 'acked' | 'fenced', afterMs: readonly number[]) {
      for (const ms of afterMs) {
        settled.inc({ state })
        latency.observe({ state }, ms / 1000)
      }
    },
    nodesFenced: new Counter({
      name: 'portcullis_nodes_fenced_total',
      help: 'Nodes that this instance has fenced because their lease ran out',
      registers,
    }),
    revocationsUnderReplicated: new Counter({
      name: 'portcullis_revocations_under_replicated_total',
      help: 'Revocations that fewer Redis replicas had in time than were asked for',
      registers,
    }),
    tokensIssued: new Counter({
      name: 'portcullis_tokens_issued_total',
      help: 'Tokens issued',
      labelNames: ['grant'] as const,
      registers,
    }),
    introspections: new Counter({
      name: 'portcullis_introspections_total',
      help: 'Tokens introspected for callers',
      labelNames: ['result'] as const,
      registers,
    }),
    auditEntriesLost: new Counter({
      name: 'portcullis_audit_entries_lost_total',
      help: 'Entries that Redis did not take into the audit log; the log of this service has them',
      registers,
    }),
    revocations: new Counter({
      name: 'portcullis_revocations_total',
      help: 'Revocations committed',
      labelNames: ['selector'] as const,
      registers,
    }),
  }
}
