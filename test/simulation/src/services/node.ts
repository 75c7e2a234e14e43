import type { ClientSocket } from '../network/client-socket.js'
import type { ClientStream } from '../network/client-stream.js'
import type { HttpRequest } from '../network/http.js'
import type { Network } from '../network/network.js'
import { admitUpgrade, SimulatedServer } from '../network/upgrade.js'
import type { Parts } from '../parts.js'
import {
  apiPublish,
  type CloseDeadline,
  Connection,
  Deadline,
  drain,
  type EmulationAddress,
  type GateStats,
  type Hub,
  type Node,
  type Watch,
  WebSocketTransport,
  type WiredGate,
  wireApiLimits,
} from '../production.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { Process } from '../world/process.js'
import type { AuthReach } from './auth-reach.js'
import type { Broker } from './broker.js'
import { SimulatedStreams } from './streams.js'
import { optionsOf, wireSimulatedNode } from './wire-node.js'

export interface NodeOptions {
  process: Process
  name: string
  auth: AuthReach
  network: Network
  broker: Broker
  parts: Parts
  tokenOf: (jti: string) => SimulatedToken
  /** Called when a command takes effect. */
  onAct: (token: SimulatedToken) => void
}

/** How long a client may take to answer a close, in milliseconds. */
const closeMs = 2000
/** How long a node waits for the feed when it starts, in milliseconds. */
const startMs = 1000

/** A realtime node: production code behind simulated sockets. */
export class SimulatedNode {
  readonly process: Process
  readonly name: string
  readonly watch: Watch
  readonly hub: Hub
  leaving = false
  readonly #gate: WiredGate
  readonly #server = new SimulatedServer()
  readonly #node: Node
  readonly #closeDeadline: CloseDeadline = new Deadline(closeMs, (late) => late.destroy())
  readonly #streams: SimulatedStreams
  readonly #apiPublish: ReturnType<typeof apiPublish>

  constructor(options: NodeOptions) {
    const { process, name, broker } = options
    this.process = process
    this.name = name
    const { gate, watch, hub, node, channels, publisher } = wireSimulatedNode(options)
    this.watch = watch
    this.hub = hub
    this.#gate = gate
    this.#node = node
    this.#streams = new SimulatedStreams(options, node, this.#closeDeadline)
    const rates = { commandsPerSecond: 1e6, bytesPerSecond: 1e9, burstSeconds: 1 }
    this.#apiPublish = apiPublish(
      {
        publish: (channel, publication, caller) =>
          channels.publish(channel, publication, publisher.permit(caller)),
        optionsOf,
      },
      wireApiLimits(rates, () => undefined),
    )
    broker.listen(process, (channel, bytes) => hub.deliver(channel, bytes))
    void gate.feed.start(startMs)
  }

  get stats(): Readonly<GateStats> {
    return this.#gate.gate.stats
  }

  /** Closes on SIGTERM: disconnects clients, says bye to auth, and exits. */
  async leave(): Promise<void> {
    this.process.note('closes')
    this.leaving = true
    await drain(this.hub, { overMs: 40 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    this.#gate.door.goAway()
    await this.#gate.close()
    this.process.kill()
  }

  /** Handles a client's upgrade. */
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
    // Fastify and ws take further turns before the route has the socket.
    await new Promise(setImmediate)
    socket.opened()
    this.#server.emit('connection', socket, request.raw)
    const transport = new WebSocketTransport(
      socket as never,
      socket.raw as never,
      this.#closeDeadline,
    )
    const connection = new Connection({
      node: this.#node,
      transport,
      grant: this.#gate.door.grantOf(request),
      isAdmitted: (text) => text === token,
    })
    socket.on('message', (message: Buffer, isBinary: boolean) =>
      connection.receive(message, isBinary),
    )
    socket.on('close', () => {
      transport.closed()
      connection.left()
    })
    opened(connection, status)
  }

  /** Handles `POST /connection/http_stream`; `connect` is its body. */
  openStream(
    stream: ClientStream,
    connect: string,
    opened: (connection: Connection | undefined, status: number) => void,
  ): void {
    if (this.leaving) {
      opened(undefined, 503)
    } else {
      this.#streams.open(stream, connect, (connection) => opened(connection, 200))
    }
  }

  /** Handles `POST /emulation`: commands for a session of any node. */
  async emulate(address: EmulationAddress, commands: string): Promise<void> {
    if (!this.leaving) {
      await this.#streams.emulate(address, commands)
    }
  }

  /** Handles `POST /api/publish`, as Fastify and the route do. */
  async publish(http: HttpRequest, channel: string): Promise<void> {
    if (this.leaving) {
      return http.answer(503)
    }
    const { request, reply } = http
    const { door } = this.#gate
    const context = { websocketServer: this.#server }
    const refused = await Reflect.apply(door.admit(), context, [request, reply])
    if (refused !== undefined) {
      return http.answer(reply.statusCode)
    }
    if (!(await http.body)) {
      return
    }
    // Some requests take further turns.
    if (this.process.random.chance(0.5)) {
      await new Promise(setImmediate)
    }
    const body = { channel, data: { from: 'backend' } }
    const answer = await this.#apiPublish.run(body, door.grantOf(request))
    door.answer(request, reply, answer)
    http.answer('result' in answer ? 200 : 500)
  }
}
