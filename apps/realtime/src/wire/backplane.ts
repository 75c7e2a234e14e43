import { randomUUID } from 'node:crypto'
import type { InfoNode } from '@portcullis/contracts/server-api'
import type { FastifyBaseLogger } from 'fastify'
import { Broker } from '../broker/broker.js'
import type { Config } from '../config/config.js'
import { applyOrder } from '../hub/apply-order.js'
import type { Hub } from '../hub/hub.js'
import type { Permit } from '../hub/permit.js'
import { StreamWatch } from '../hub/stream-watch.js'
import type { Counts } from '../metrics/counts.js'
import { DeliverySampler } from '../metrics/delivery-sampler.js'
import { BulkReads } from '../scheduling/bulk-reads.js'
import type { Sessions } from '../sessions/sessions.js'
import { version } from '../version.js'
import { type OptionsOf, wireHub } from './hub.js'

/**
 * Interval of the probes of Redis, in milliseconds; a hanging Redis is noticed within twice that.
 */
const redisProbeMs = 2000
/** Lifetime of a presence entry, in milliseconds; a node renews three times as often. */
const presenceTtlMs = 60_000
/**
 * Interval at which streams are compared with their histories, since a lost last publication leaves
 * no gap.
 */
const verifyMs = 25_000
/** Interval of that comparison while Redis does not answer, in milliseconds. */
const verifyAgainMs = 1000

export interface BackplaneWiring {
  config: Config
  counts: Counts
  log: FastifyBaseLogger
  /** Permits the node's own writes while it holds its lease. */
  permit: Permit
  /** The HTTP streams of this node, for commands that another node got. */
  sessions: Sessions
}

/** The hub of this node, connected with the other nodes through Redis. */
export interface Backplane {
  /** Random id of this process, by which other nodes reach it. */
  readonly uid: string
  readonly hub: Hub
  readonly broker: Broker
  readonly reads: BulkReads
  readonly optionsOf: OptionsOf
  readonly streamWatch: StreamWatch
  /** Call before a publication is sent to Redis. */
  readonly onPublishing: (channel: string, publication: Buffer) => void
}

/** Connects to Redis. @throws BrokerError, RedisUrlError */
export async function openBackplane({
  config,
  counts,
  log,
  permit,
  sessions,
}: BackplaneWiring): Promise<Backplane> {
  const uid = randomUUID()
  const optionsOf: OptionsOf = (channel) => config.NAMESPACES.of(channel)
  const hub: Hub = wireHub({ broker: () => broker, reads: () => reads, optionsOf })
  const { timings } = counts
  const deliveries = new DeliverySampler((ms) => timings.deliveries.observe(ms))
  let streamWatch: StreamWatch | undefined
  const broker: Broker = await Broker.open({
    url: config.REDIS_URL,
    prefix: config.REDIS_PREFIX,
    partitions: config.PARTITIONS,
    uid,
    probeMs: redisProbeMs,
    presenceTtlMs,
    permit,
    describe: describeNode(uid, config.NODE_NAME, hub),
    countClients: (channel) => hub.countIn(channel),
    onPublication: (channel, encoded, position) => {
      counts.received += 1
      hub.deliver(channel, encoded, position)
      deliveries.delivered(channel, encoded)
    },
    onReply: (ms) => timings.redisCommands.observe(ms),
    onPresence: (channel, kind, info) => {
      hub.announce(channel, kind, info)
    },
    onRestored: () => streamWatch?.check(),
    onOrder: (order) => {
      applyOrder(hub, order, (error) => log.warn({ err: error, order: order.type }, 'order'))
    },
    onCommands: (commands) => sessions.receive(commands),
    onError: (error) => log.warn({ err: error }, 'redis'),
  })
  const reads = new BulkReads({
    broker,
    maxPublications: config.MAX_HISTORY_PUBLICATIONS,
    maxBytes: config.MAX_ANSWER_BYTES,
  })
  streamWatch = new StreamWatch({
    hub,
    audit: () => broker.streams.disownLost(),
    everyMs: verifyMs,
    retryMs: verifyAgainMs,
  })
  return {
    uid,
    hub,
    broker,
    reads,
    optionsOf,
    streamWatch,
    onPublishing: (channel, publication) => {
      if (hub.countIn(channel) > 0) {
        deliveries.entered(channel, publication)
      }
    },
  }
}

function describeNode(uid: string, name: string, hub: Hub): () => InfoNode {
  const started = Date.now()
  return () => ({
    uid,
    name,
    version,
    num_clients: hub.counts.clients,
    num_users: hub.counts.users,
    num_subs: hub.counts.subscriptions,
    num_channels: hub.counts.channels,
    uptime: Math.floor((Date.now() - started) / 1000),
  })
}
