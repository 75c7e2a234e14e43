import { defined } from '@portcullis/contracts/defined'
import type { FastifyBaseLogger } from 'fastify'
import { Door } from './admission/door.js'
import { HeldCallers } from './admission/held-callers.js'
import type { Credentials } from './auth/credentials.js'
import { Introspector } from './auth/introspector.js'
import type { Lookup } from './auth/lookup.js'
import type { Gate } from './decorators.js'
import { GateError } from './errors.js'
import type { Dial } from './feed/dial.js'
import { Feed } from './feed/feed.js'
import type { FeedTiming } from './feed/feed-connection.js'
import { type Grant, LiveGrant } from './grants/grant.js'
import { NodeLease } from './grants/lease.js'
import { Watch } from './grants/watch.js'
import type { GateTimings } from './options.js'
import { type GateStats, newStats } from './stats.js'

export interface WireGateOptions {
  /** The node's name in receipts. */
  node: string
  /** Where the node serves clients. */
  nodeUrl?: string | undefined
  feedUrl: URL
  tokenInQuery: boolean
  /** How long one request to auth may take, in milliseconds. */
  timeoutMs: number
  /** See `GateOptions.holdCallersMs`. */
  holdCallersMs: number
  timing: FeedTiming
  log: FastifyBaseLogger
  /** The gate's own token. */
  credentials: Pick<Credentials, 'token' | 'renew' | 'problem'>
  /** Introspects tokens at auth. */
  lookup: Lookup
  timings?: GateTimings | undefined
  /** Opens the feed's connection. Default: a WebSocket. */
  dial?: Dial
  stats?: GateStats
  lease?: NodeLease
  watch?: Watch
}

export interface WiredGate {
  /** `app.gate` */
  readonly gate: Gate
  readonly door: Door
  readonly feed: Feed
  /** Releases everything, after the app's own connections have closed. */
  close(): Promise<void>
}

/**
 * Creates the parts of a gate and connects them. The plugin calls this with HTTP and WebSockets; the
 * simulation of the revocation guarantee calls this with a network and clocks of its own.
 */
export function wireGate(options: WireGateOptions): WiredGate {
  const {
    node,
    nodeUrl,
    feedUrl,
    tokenInQuery,
    timeoutMs,
    holdCallersMs,
    timing,
    log,
    credentials,
    lookup,
    dial,
  } = options
  const stats = options.stats ?? newStats()
  const lease = options.lease ?? new NodeLease()
  const watch = options.watch ?? new Watch(log, stats, lease)
  const introspector = new Introspector({
    lookup,
    watch,
    stats,
    timeoutMs,
    ...defined({ timings: options.timings }),
  })
  const callers = new HeldCallers({ introspector, watch, stats, holdMs: holdCallersMs })
  const door = new Door({ introspector, callers, watch, lease, stats, tokenInQuery })
  const feed = new Feed({
    url: feedUrl,
    node,
    nodeUrl,
    credentials,
    timing,
    watch,
    lease,
    lookup,
    stats,
    log,
    ...defined({ dial }),
  })
  const gate: Gate = {
    introspect: (token) => introspector.introspect(token),
    hold: (grant, onEnd) => {
      const release = watch.hold(liveGrant(grant), onEnd)
      door.handOver(grant)
      return release
    },
    effect: (grant, work, isOver = () => false) => watch.effect(liveGrant(grant), work, isOver),
    registryTime: () => watch.registryTime(),
    admitted: (request) => door.hasGrant(request),
    ready: () => feed.replaced ?? credentials.problem ?? feed.problem,
    replaced: () => feed.replaced,
    lease,
    stats,
  }
  return {
    gate,
    door,
    feed,
    close: async () => {
      callers.close()
      await door.empty(timing.goodbyeMs)
      await feed.close()
      introspector.close()
      watch.close()
      lease.close()
    },
  }
}

function liveGrant(grant: Grant): LiveGrant {
  if (grant instanceof LiveGrant) {
    return grant
  }
  throw new GateError('invalid_token', 'not a grant of this gate')
}
