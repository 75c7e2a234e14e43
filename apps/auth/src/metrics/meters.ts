import { Durations, type Instruments } from '@portcullis/service'
import { families } from './families.js'

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
  redisCommands: Durations
}

/** Counters since the start. Each starts at 0, since an alert would miss the first increment of a new one. */
export interface Meters {
  readonly tokensIssued: { client_credentials: number; token_exchange: number; subject: number }
  readonly introspections: { active: number; inactive: number }
  readonly revocations: {
    jti: number
    jti_cascade: number
    identity: number
    identity_subject: number
    identity_label: number
    all: number
  }
  nodesFenced: number
  revocationsUnderReplicated: number
  auditEntriesLost: number
  /** Counts parts of receipts that this instance has settled, `afterMs` milliseconds after the commit. */
  settled(state: 'acked' | 'fenced', afterMs: readonly number[]): void
}

/** Registers auth's metrics. */
export function openMeters(instruments: Instruments, sources: MeterSources): Meters {
  const { feed, countPending, redisCommands } = sources
  const parts = { acked: 0, fenced: 0 }
  const latency = { acked: new Durations(latencySeconds), fenced: new Durations(latencySeconds) }
  const meters: Meters = {
    tokensIssued: { client_credentials: 0, token_exchange: 0, subject: 0 },
    introspections: { active: 0, inactive: 0 },
    revocations: {
      jti: 0,
      jti_cascade: 0,
      identity: 0,
      identity_subject: 0,
      identity_label: 0,
      all: 0,
    },
    nodesFenced: 0,
    revocationsUnderReplicated: 0,
    auditEntriesLost: 0,
    settled(state, afterMs) {
      parts[state] += afterMs.length
      for (const ms of afterMs) {
        latency[state].observe(ms)
      }
    },
  }
  instruments.value(families.feedNodes, () => feed().nodes)
  instruments.value(families.feedPosition, () => feed().lastEventAt / 1000)
  instruments.value(families.receiptPartsPending, () => countPending().catch(() => Number.NaN))
  instruments.values(families.receiptParts, () => Object.entries(parts))
  instruments.durations(families.revocationDuration, () => Object.entries(latency))
  instruments.value(families.nodesFenced, () => meters.nodesFenced)
  instruments.values(families.revocations, () => Object.entries(meters.revocations))
  instruments.value(families.revocationsUnderReplicated, () => meters.revocationsUnderReplicated)
  instruments.values(families.tokensIssued, () => Object.entries(meters.tokensIssued))
  instruments.values(families.introspections, () => Object.entries(meters.introspections))
  instruments.durations(families.redisDuration, () => [[[], redisCommands]])
  instruments.value(families.auditEntriesLost, () => meters.auditEntriesLost)
  return meters
}
