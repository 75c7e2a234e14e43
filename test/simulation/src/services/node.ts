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
  Door,
  drain,
  FairQueue,
  Feed,
  type FeedSocket,
  FlushQueue,
  GateError,
  Heartbeat,
  Hold,
  Hub,
  Introspector,
  LiveGrant,
  type Lookup,
  type Node,
  newStats,
  type Permit,
  publish,
  type Watch,
  Writes,
  webSocketTransport,
} from '../production.js'
import { asCommands } from '../registry/commands.js'
import type { SimulatedToken } from '../registry/registry.js'
import { RegistryConnection } from '../registry/registry-client.js'
import type { Process } from '../world/process.js'
import type { AuthAnswer, AuthRequest } from './auth.js'
import type { Broker } from './broker.js'
import { countEffects } from './count-effects.js'
import { logOf } from './log.js'

/** How a node gets to auth, through whatever stands between. */
export interface AuthReach {
  request(from: Process, request: AuthRequest, timeoutMs: number): Promise<AuthAnswer>
  dial(from: Process, token: string, handshakeMs: number): SimulatedWebSocket
}

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
  readonly #door: Door
  readonly #server = new SimulatedServer()
  readonly #feed: Feed
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
    const lookup: Lookup = (tokens) => this.#lookup(tokens)
    const lease = new parts.NodeLease({
      monotonic: () => process.monotonic,
      wall: () => process.wall,
      boot: () => process.boot,
    })
    const watch = new parts.Watch(log, stats, lease)
    const introspector = new Introspector({ lookup, watch, stats, timeoutMs })
    const door = new Door({ introspector, watch, lease, stats, tokenInQuery: false })
    this.watch = watch
    this.#redis = new RegistryConnection(process, network, broker)
    this.#writes = new Writes(asCommands(this.#redis.scripts))
    this.#apiPublish = apiPublish(
      (channel, bytes, caller) => this.#publish(channel, bytes, this.#permit(caller)),
      new ApiLimits({
        rates: { commandsPerSecond: 1e6, bytesPerSecond: 1e9, burstSeconds: 1 },
        publishing: new FairQueue({ maxUnderWay: 512, maxPerCaller: 128, maxSliceMs: 4 }),
        onLimited: () => undefined,
      }),
    )
    countRaces(watch, process)
    countEffects(watch, process.world.history)
    this.#door = door
    this.#feed = new Feed({
      url: new URL('ws://auth.simulation/v1/feed'),
      node: name,
      credentials: new OwnToken(process, auth),
      timing: {
        handshakeMs: timeoutMs,
        welcomeMs: timeoutMs,
        pingMs: 500,
        firstRetryMs: 20,
        mostRetryMs: 300,
        refusedRetryMs: 300,
        renewMs: 50,
        goodbyeMs: 200,
      },
      watch,
      lease,
      lookup,
      stats,
      log,
      dial: (_url, own, handshakeMs) => asFeedSocket(auth.dial(process, own, handshakeMs)),
    })
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
        hold: (grant, onEnd) => {
          if (!(grant instanceof LiveGrant)) {
            throw new Error('not a grant')
          }
          const release = watch.hold(grant, onEnd)
          door.handOver(grant)
          return release
        },
        permit: (grant) => this.#permit(grant),
        introspect: async (text) => {
          try {
            return await introspector.introspect(text)
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
    void this.#feed.start(1000)
  }

  /** SIGTERM: sends its clients away, says bye, and ends. */
  async leave(): Promise<void> {
    this.process.note('closes')
    this.leaving = true
    await drain(this.hub, { overMs: 40 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await this.#feed.close()
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
    const { status, request } = await admitUpgrade(this.#door, this.#server, socket, token)
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
    const hook = this.#door.admit()
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
    const answer = await this.#apiPublish.run(body, this.#door.grantOf(request))
    this.#door.answer(request, reply, answer)
    http.answer('result' in answer ? 200 : 500)
  }

  /** The permit of a grant, whose effects the broker knows by their token. */
  #permit(grant: { jti: string }): Permit {
    if (!(grant instanceof LiveGrant)) {
      throw new Error('not a grant')
    }
    const token = this.#options.tokenOf(grant.jti)
    const permit: Permit = (send, isOver) =>
      this.watch.effect(
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
    return { grant: this.#door.grantOf(request) }
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

/** The node's own token: asked for, and asked for again when it is refused. */
class OwnToken {
  readonly #process: Process
  readonly #auth: AuthReach
  #held: string | undefined

  constructor(process: Process, auth: AuthReach) {
    this.#process = process
    this.#auth = auth
  }

  async token(): Promise<string> {
    if (this.#held !== undefined) {
      return this.#held
    }
    const answer = await this.#auth.request(this.#process, { kind: 'token' }, timeoutMs)
    if (answer.status !== 200 || !('token' in answer)) {
      throw new Error('auth gives no token')
    }
    this.#held = answer.token
    return answer.token
  }

  async renew(refused: string): Promise<string> {
    if (this.#held === refused) {
      this.#held = undefined
    }
    return this.token()
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
