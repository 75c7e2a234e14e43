import type { FeedHub } from '../feed/hub.js'
import type { Registry } from '../registry/index.js'
import type { Jwt } from '../tokens/jwt.js'
import type { EventMeters } from './meters.js'
import type { Secrets } from './receivers/authorization.js'

export interface EventSettings {
  /** Encrypt authorization headers in Redis. */
  secrets: Secrets
  /** Hosts besides this machine that events may be pushed to without TLS. */
  httpHosts: readonly string[]
  /** How long a receiver may take to answer a push, in milliseconds. */
  timeoutMs: number
  /** The first wait after a failed push, in milliseconds; each further wait doubles. */
  retryMs: number
  /** How long an event is retried, in milliseconds. */
  maxAgeMs: number
  /** Events that may wait for one receiver; beyond it the oldest are dropped. */
  maxQueued: number
  /** How long a poll waits for an event, in milliseconds. */
  pollWaitMs: number
}

/** Dependencies that the functions of this folder share. */
export interface Events {
  readonly registry: Registry
  readonly jwt: Jwt
  /** Reports when the feed has new events. */
  readonly hub: Pick<FeedHub, 'position' | 'movedFrom'>
  readonly settings: EventSettings
  readonly meters: EventMeters
  /** Called when a receiver has missed an unknown number of events. */
  readonly onLost: (receiver: { id: string }) => void
}
