import type { ClientSocket } from '../network/client-socket.js'
import type { HttpRequest } from '../network/http.js'
import type { Network } from '../network/network.js'
import { admitUpgrade, SimulatedServer } from '../network/upgrade.js'
import type { SimulatedWebSocket } from '../network/web-socket.js'
import type { Parts } from '../parts.js'
import {
  ApiLimits,
  apiPublish,
  brokerKeys,
  Connection,
  Deadline,
  type Door,
  drain,
  FairQueue,
  type FeedSocket,
  FlushQueue,
  GateError,
  type Grant,
  Heartbeat,
  Hold,
  Hub,
  type Node,
  newStats,
  type Permit,
  publish,
  type Watch,
  type WiredGate,
  Writes,
  webSocketTransport,
  wireGate,
} from '../production.js'
import { asCommands } from '../registry/commands.js'
import type { SimulatedToken } from '../registry/registry.js'
import { RegistryConnection } from '../registry/registry-client.js'
import type { Process } from '../world/process.js'
import type { AuthReach } from './auth-reach.js'
import type { Broker } from './broker.js'
import { countEffects } from './count-effects.js'
import { logOf } from './log.js'
import { OwnToken } from './own-token.js'

export interface NodeOptions {
  process: Process
  name: string
  auth: AuthReach
  network: Network
  broker: Broker
  parts: Parts
  tokenOf: (jti: string) => SimulatedToken
  /** A command is acted upon. */
  onAct: (token: SimulatedToken) => void
}

const timeoutMs = 600
/** How long a client may take to answer a close. */
const closeMs = 2000
/** How long connections wait for the lease. */
const graceMs = 700

const keys = brokerKeys('simulation', 1)

/** No history, no presence: revocation knows nothing of either. */
const plainChannel = {
  historySize: 0,
  historyTtlSeconds: 1,
  recovery: false,
  presence: false,
  joinLeave: false,
  delta: false,
  tagsFilter: false,
  clientPublish: true,
}

/** One realtime node, wired as `packages/gate/src/gate.ts` and `apps/realtime/src/app.ts` do it. */
export class SimulatedNode {
  readonly process: Process
  readonly name: string
  readonly watch: Watch
  readonly hub: Hub
  readonly stats: ReturnType<typeof newStats> = newStats()
  leaving = false
  readonly #options: NodeOptions
  readonly #gate: WiredGate
  readonly #server = new SimulatedServer()
  readonly #node: Node
  readonly #redis: RegistryConnection
  readonly #writes: Writes
  readonly #tokens = new WeakMap<Permit, SimulatedToken>()
  readonly #apiPublish: ReturnType<typeof apiPublish>

  constructor(options: NodeOptions) {
    const { process, name, auth, network, broker, parts } = options
    this.process = process
    this.name = name
    this.#options = options
    const log = logOf(process)
    const { stats } = this
    const lease = new parts.NodeLease({
      monotonic: () => process.monotonic,
      wall: () => process.wall,
      boot: () => process.boot,
    })
    const watch = new parts.Watch(log, stats, lease)
    this.watch = watch
    this.#redis = new RegistryConnection(process, network, broker)
    this.#writes = new Writes(asCommands(this.#redis.scripts))
    this.#apiPublish = apiPublish(
      (channel, bytes, caller) => this.#publish(channel, bytes, this.#permit(caller)),
      new ApiLimits({
        rates: { commandsPerSecond: 1e6, bytesPerSecond: 1e9, burstSeconds: 1 },
        publishing: new FairQueue({ maxInFlight: 512, maxPerCaller: 128, maxSliceMs: 4 }),
        onLimited: () => undefined,
      }),
    )
    countRaces(watch, process)
    countEffects(watch, process.world.history)
    this.#gate = wireGate({
      node: name,
      feedUrl: new URL('ws://auth.simulation/v1/feed'),
      tokenInQuery: false,
      timeoutMs,
      timing: {
        handshakeMs: timeoutMs,
        welcomeMs: timeoutMs,
        pingMs: 500,
        firstRetryMs: 20,
        maxRetryMs: 300,
        refusedRetryMs: 300,
        renewMs: 50,
        goodbyeMs: 200,
      },
      log,
      credentials: new OwnToken(process, auth, timeoutMs),
      lookup: (tokens) => this.#lookup(tokens),
      dial: (_url, own, handshakeMs) => asFeedSocket(auth.dial(process, own, handshakeMs)),
      stats,
      lease,
      watch,
    })
    const { gate } = this.#gate
    const none = () => Promise.reject(new Error('there are no streams'))
    this.hub = new Hub({
      backplane: {
        join: () => this.#join(),
        leave: () => undefined,
        read: none,
        positions: none,
        disown: none,
      },
      hasStream: () => false,
    })
    const hold = new Hold({ lease, hub: this.hub, graceMs })
    lease.listen({
      lost: () => process.world.history.count('holds'),
      regained: () => process.world.history.count('leases regained'),
    })
    this.#node = {
      name,
      hold,
      version: 'simulation',
      pingIntervalMs: 60_000,
      limits: {
        commandsPerSecond: 1e6,
        bytesPerSecond: 1e9,
        burstSeconds: 1,
        channelsPerConnection: 8,
        pendingCommands: 64,
        handlerCalls: 8,
        sendBufferBytes: 100_000,
        answerBytes: 50_000,
      },
      handlers: { rpc: () => undefined, send: undefined, connect: undefined },
      hub: this.hub,
      tokens: {
        hold: (grant, onEnd) => gate.hold(grant, onEnd),
        permit: (grant) => this.#permit(grant),
        introspect: async (text) => {
          try {
            return await gate.introspect(text)
          } catch (error) {
            if (!(error instanceof GateError)) {
              throw error
            }
            return error.code === 'auth_unavailable' ? 'unavailable' : 'inactive'
          }
        },
      },
      flushQueue: new FlushQueue(),
      heartbeat: new Heartbeat({ pingIntervalMs: 60_000, pongTimeoutMs: 8000 }),
      connectDeadline: new Deadline<Connection>(2000, (late) =>
        late.end({ code: 3501, reason: '' }),
      ),
      optionsOf: () => plainChannel,
      channelsFor: () => [],
      channels: {
        publish: (channel, bytes, permit) => this.#publish(channel, bytes, permit),
        history: none,
        position: none,
        presence: none,
        presenceStats: none,
        enter: none,
        leave: none,
        announceJoin: none,
        announceLeave: none,
      },
      onClosed: ({ id }, { code, reason }) => {
        process.note(() => `closes connection ${id.slice(0, 8)}: ${code} ${reason}`)
      },
      onLimited: () => undefined,
      onFault: (_connection, error) => {
        process.world.fail(error instanceof Error ? error : new Error(String(error)))
      },
    }
    broker.listen(process, (channel, bytes) => this.hub.deliver(channel, bytes))
    void this.#gate.feed.start(1000)
  }

  /** SIGTERM: sends its clients away, says bye, and ends. */
  async leave(): Promise<void> {
    this.process.note('closes')
    this.leaving = true
    await drain(this.hub, { overMs: 40 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await this.#gate.feed.close()
    this.process.kill()
  }

  /** A client asks for an upgrade. */
  async upgrade(
    socket: ClientSocket,
    token: string,
    opened: (connection: Connection | undefined, status: number) => void,
  ): Promise<void> {
    if (this.leaving) {
      opened(undefined, 503)
      return
    }
    const { status, request } = await admitUpgrade(this.#gate.door, this.#server, socket, token)
    if (status !== 101 || socket.raw.destroyed) {
      opened(undefined, status)
      return
    }
    // Fastify and ws have more to do before the route has the socket.
    await new Promise(setImmediate)
    socket.opened()
    this.#server.emit('connection', socket, request.raw)
    const { grant } = this.#grantOf(request)
    const connection = new Connection({
      node: this.#node,
      transport: webSocketTransport(socket as never, socket.raw as never, closeMs),
      grant,
      isAdmitted: (text) => text === token,
    })
    socket.on('message', (message: Buffer, isBinary: boolean) =>
      connection.receive(message, isBinary),
    )
    socket.on('close', () => connection.left())
    opened(connection, status)
  }

  /** `POST /api/publish`, as Fastify and `routes/api-command.ts` do it. */
  async publish(http: HttpRequest, channel: string): Promise<void> {
    if (this.leaving) {
      return http.answer(503)
    }
    const { request, reply } = http
    const hook = this.#gate.door.admit()
    const refused = await Reflect.apply(hook, { websocketServer: this.#server }, [request, reply])
    if (refused !== undefined) {
      return http.answer(reply.statusCode)
    }
    if (!(await http.body)) {
      return
    }
    // Some requests have more to wait for.
    if (this.process.random.chance(0.5)) {
      await new Promise(setImmediate)
    }
    const body = { channel, data: { from: 'backend' } }
    const answer = await this.#apiPublish.run(body, this.#gate.door.grantOf(request))
    this.#gate.door.answer(request, reply, answer)
    http.answer('result' in answer ? 200 : 500)
  }

  /** The permit of a grant, whose effects the broker knows by their token. */
  #permit(grant: Grant): Permit {
    const token = this.#options.tokenOf(grant.jti)
    const permit: Permit = (send, isOver) =>
      this.#gate.gate.effect(
        grant,
        (until) => {
          this.#options.onAct(token)
          return send(until)
        },
        isOver,
      )
    this.#tokens.set(permit, token)
    return permit
  }

  /** As `Broker.publish` in `apps/realtime/src/broker/broker.ts`, without a history. */
  async #publish(channel: string, bytes: Buffer, permit: Permit): Promise<undefined> {
    const token = this.#tokens.get(permit)
    if (token === undefined) {
      throw new Error('not a permit')
    }
    const redis = asCommands(this.#redis.scripts.of(token))
    await this.#writes.run(keys.channel(channel), permit, (deadline) =>
      publish(redis, keys, channel, bytes, {}, deadline),
    )
  }

  #grantOf(request: Parameters<Door['grantOf']>[0]) {
    return { grant: this.#gate.door.grantOf(request) }
  }

  async #lookup(tokens: readonly string[]) {
    const { auth } = this.#options
    const answer = await auth
      .request(this.process, { kind: 'introspect', tokens }, timeoutMs)
      .catch(() => ({ status: 503 }) as const)
    if (answer.status !== 200 || !('results' in answer)) {
      throw new GateError('auth_unavailable', `auth answers ${answer.status}`)
    }
    return [...answer.results]
  }

  /** Redis confirms a subscription. */
  #join(): Promise<void> {
    return new Promise((resolve) => {
      this.process.event(this.process.random.between(0.2, 4), resolve)
    })
  }
}

/** By what production code uses of it. */
function asFeedSocket(socket: SimulatedWebSocket): FeedSocket {
  return socket as unknown as FeedSocket
}

/** How often an answer of auth was overtaken by the revocation of its token. */
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
