import type { FeedHub } from '../feed/hub.js'
import type { Registry } from '../registry/index.js'
import type { Jwt } from '../tokens/jwt.js'
import type { EventMeters } from './meters.js'
import type { Secrets } from './receivers/authorization.js'

export interface EventSettings {
  /** Seal authorization headers in Redis. */
  secrets: Secrets
  /** Hosts that events may be pushed to without TLS, beside this machine. */
  httpHosts: readonly string[]
  /** How long a receiver may take to answer a push. */
  timeoutMs: number
  /** The first wait after a push that failed; later ones are longer. */
  retryMs: number
  /** For how long an event is pushed again and again. */
  maxAgeMs: number
  /** How many events may wait for a receiver. */
  maxQueued: number
  /** How long a poll waits for an event. */
  pollWaitMs: number
}

/** What every verb of this folder takes first. */
export interface Events {
  readonly registry: Registry
  readonly jwt: Jwt
  /** Tells when the feed has brought something. */
  readonly hub: Pick<FeedHub, 'position' | 'movedFrom'>
  readonly settings: EventSettings
  readonly meters: EventMeters
  /** A receiver has missed an unknown number of events. */
  readonly onLost: (receiver: { id: string }) => void
}
