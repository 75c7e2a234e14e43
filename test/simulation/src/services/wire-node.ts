import type { SimulatedWebSocket } from '../network/web-socket.js'
import {
  type FeedSocket,
  GateError,
  type Handler,
  type Handlers,
  type Hub,
  type Node,
  type NodeChannels,
  type NodeLease,
  newStats,
  type OptionsOf,
  type Watch,
  type WiredGate,
  wireChannels,
  wireGate,
  wireHub,
  wireNode,
  wireTokens,
} from '../production.js'
import { RegistryConnection } from '../registry/registry-connection.js'
import type { Process } from '../world/process.js'
import { countEffects } from './count-effects.js'
import { logOf } from './log.js'
import type { NodeOptions } from './node.js'
import { OwnToken } from './own-token.js'
import { Publisher } from './publisher.js'

/** How long one request to auth may take, in milliseconds. */
const timeoutMs = 600

/** Longer than most outages of the lease and of the feed, in milliseconds. */
const holdCallersMs = 3000

/** How long the application's handlers take at most, in milliseconds. */
const maxAnswerMs = 20

const feedTiming = {
  handshakeMs: timeoutMs,
  welcomeMs: timeoutMs,
  pingMs: 500,
  firstRetryMs: 20,
  maxRetryMs: 300,
  refusedRetryMs: 300,
  renewMs: 50,
  goodbyeMs: 200,
}

const settings = {
  version: 'simulation',
  pingIntervalMs: 60_000,
  pongTimeoutMs: 8000,
  connectDeadlineMs: 2000,
  leaseGraceMs: 700,
  // Closed connections leave their channels in a later turn, as after a wide revocation.
  cleanupSliceMs: 0,
  limits: {
    commandsPerSecond: 1e6,
    bytesPerSecond: 1e9,
    burstSeconds: 1,
    channelsPerConnection: 8,
    commandsPerMessage: 256,
    commandsInFlight: 64,
    handlerCalls: 8,
    sendBufferBytes: 100_000,
    answerBytes: 50_000,
  },
}

export const optionsOf: OptionsOf = () => ({
  historySize: 0,
  historyTtlSeconds: 1,
  recovery: false,
  presence: false,
  joinLeave: false,
  delta: false,
  tagsFilter: false,
  clientPublish: true,
  forcePushJoinLeave: false,
  isUnknown: false,
})

interface WiredParts {
  readonly gate: WiredGate
  readonly watch: Watch
  readonly hub: Hub
  readonly node: Node
  readonly channels: NodeChannels
  readonly publisher: Publisher
}

/** Wires a realtime node with the functions that production uses, on a simulated network and clocks. */
export function wireSimulatedNode(options: NodeOptions): WiredParts {
  const { process, name, network, broker, parts } = options
  const lease = new parts.NodeLease({
    monotonic: () => process.monotonic,
    wall: () => process.wall,
    boot: () => process.boot,
  })
  const { gate, watch } = wireSimulatedGate(options, lease)
  const tokens = wireTokens(gate.gate)
  const publisher = new Publisher({
    redis: new RegistryConnection(process, network, broker),
    tokens,
    tokenOf: options.tokenOf,
    onAct: options.onAct,
    join: () => join(process),
  })
  const { reads } = publisher
  const hub = wireHub({ broker: () => publisher, reads: () => reads, optionsOf })
  const channels = wireChannels({
    broker: publisher,
    reads,
    optionsOf,
    onPublished: () => undefined,
  })
  const node = wireNode(
    { ...settings, name },
    {
      lease,
      hub,
      tokens: { ...tokens, permit: (grant) => publisher.permit(grant) },
      channels,
      handlers: handlersOf(process),
      optionsOf,
      channelsFor: () => [],
      ...observe(process),
    },
  )
  lease.listen({
    lost: () => process.world.history.count('holds'),
    regained: () => process.world.history.count('leases regained'),
  })
  return { gate, watch, hub, node, channels, publisher }
}

function wireSimulatedGate({ process, name, auth, parts }: NodeOptions, lease: NodeLease) {
  const log = logOf(process)
  const stats = newStats()
  const watch = new parts.Watch(log, stats, lease)
  countRaces(watch, process)
  countEffects(watch, process.world.history)
  const gate = wireGate({
    node: name,
    feedUrl: new URL('ws://auth.simulation/v1/feed'),
    tokenInQuery: false,
    timeoutMs,
    holdCallersMs,
    timing: feedTiming,
    log,
    credentials: new OwnToken(process, auth, timeoutMs),
    lookup: async (tokens) => {
      const answer = await auth
        .request(process, { kind: 'introspect', tokens }, timeoutMs)
        .catch(() => ({ status: 503 }) as const)
      if (answer.status !== 200 || !('results' in answer)) {
        throw new GateError('auth_unavailable', `auth answers ${answer.status}`)
      }
      return [...answer.results]
    },
    dial: (_url, own, handshakeMs) => asFeedSocket(auth.dial(process, own, handshakeMs)),
    stats,
    lease,
    watch,
  })
  return { gate, watch }
}

function observe(process: Process): Pick<Node, 'onClosed' | 'onLimited' | 'onFault'> {
  return {
    onClosed: ({ id }, { code, reason }) => {
      process.note(() => `closes connection ${id.slice(0, 8)}: ${code} ${reason}`)
    },
    onLimited: () => undefined,
    onFault: (_connection, error) => {
      process.world.fail(error instanceof Error ? error : new Error(String(error)))
    },
  }
}

/** An application that permits every subscription and publication, after a while. */
function handlersOf(process: Process): Handlers {
  const { random, world } = process
  const permit: Handler = (call) =>
    new Promise((resolve) => {
      process.event(random.between(0, maxAnswerMs), () => {
        if (!call.wanted()) {
          world.history.count('handler answers without effect')
        }
        resolve({ result: {} })
      })
    })
  const mayAsk = () => (random.chance(0.5) ? permit : undefined)
  return {
    rpc: () => undefined,
    subscribe: mayAsk,
    publish: mayAsk,
    subRefresh: () => undefined,
    send: undefined,
    connect: undefined,
  }
}

/** Redis confirms a subscription after a while. */
function join(process: Process): Promise<void> {
  return new Promise((resolve) => {
    process.event(process.random.between(0.2, 4), resolve)
  })
}

/** The simulated socket has the members that the feed uses. */
function asFeedSocket(socket: SimulatedWebSocket): FeedSocket {
  return socket as unknown as FeedSocket
}

/** Counts how often a revocation overtook the introspection of its token. */
function countRaces(watch: Watch, { world }: Process): void {
  const register = watch.register.bind(watch)
  watch.register = (...args) => {
    try {
      return register(...args)
    } catch (error) {
      if (error instanceof GateError && error.code === 'invalid_token') {
        world.history.count('admission races')
      }
      throw error
    }
  }
}
