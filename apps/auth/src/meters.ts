import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export type Meters = ReturnType<typeof meters>

export interface FeedState {
  /** Nodes connected to this instance. */
  readonly nodes: number
  /** Unix milliseconds of the newest revocation in the feed; 0 before the first. */
  readonly lastEventAt: number
}

/** A node usually applies a revocation in milliseconds, and at the latest when its lease is out. */
const latencySeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 30,
]

export interface MeterSources {
  feed: () => FeedState
  /** Counts the pending parts of receipts in the whole installation. */
  countPending: () => Promise<number>
}

/** Registers auth's metrics. No label contains a name, an id or a token. */
export function meters(register: Registry, { feed, countPending }: MeterSources) {
  const registers = [register]
  new Gauge({
    name: 'portcullis_feed_nodes',
    help: 'Nodes connected to the feed of this instance',
    registers,
    collect() {
      this.set(feed().nodes)
    },
  })
  new Gauge({
    name: 'portcullis_feed_position_seconds',
    help: 'Unix time of the newest revocation in the feed, as read by this instance',
    aggregator: 'min',
    registers,
    collect() {
      this.set(feed().lastEventAt / 1000)
    },
  })
  new Gauge({
    name: 'portcullis_receipt_parts_pending',
    help: 'Pending parts of receipts, one for each node and partition; the same at every instance, NaN when Redis does not answer',
    aggregator: 'max',
    registers,
    async collect() {
      this.set(await countPending().catch(() => Number.NaN))
    },
  })
  const settled = new Counter({
    name: 'portcullis_receipt_parts_total',
    help: 'Parts of receipts that are no longer pending: acked, the node acknowledged; fenced, its lease ran out',
    labelNames: ['state'] as const,
    registers,
  })
  const latency = new Histogram({
    name: 'portcullis_revocation_seconds',
    help: 'Time from the commit of a revocation until a part of its receipt was acknowledged or fenced',
    labelNames: ['state'] as const,
    buckets: latencySeconds,
    registers,
  })
  // An alert on a counter that appears with its first increment would miss that increment.
  for (const state of ['acked', 'fenced'] as const) {
    settled.inc({ state }, 0)
    latency.zero({ state })
  }
  return {
    /** Counts parts of receipts that this instance has settled, `afterMs` milliseconds after the commit. */
    settled(state: 'acked' | 'fenced', afterMs: readonly number[]) {
      for (const ms of afterMs) {
        settled.inc({ state })
        latency.observe({ state }, ms / 1000)
      }
    },
    nodesFenced: new Counter({
      name: 'portcullis_nodes_fenced_total',
      help: 'Nodes fenced by this instance because their lease ran out',
      registers,
    }),
    revocationsUnderReplicated: new Counter({
      name: 'portcullis_revocations_under_replicated_total',
      help: 'Revocations that reached fewer Redis replicas in time than requested',
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
      help: 'Entries that Redis did not take into the audit log; they are in the log of this service',
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
