import { Counter, Gauge, type Registry } from 'prom-client'

export type Meters = ReturnType<typeof meters>

export interface FeedState {
  /** Nodes whose feed connection is open here. */
  readonly nodes: number
  /** Unix milliseconds of the last revocation that the feed brought; 0 before any. */
  readonly lastEventAt: number
}

/** Counts of what auth does. No label ever has a name, an id or a token in it. */
export function meters(register: Registry, feed: () => FeedState) {
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
  return {
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
    revocations: new Counter({
      name: 'portcullis_revocations_total',
      help: 'Revocations committed',
      labelNames: ['selector'] as const,
      registers,
    }),
  }
}
