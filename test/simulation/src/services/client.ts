import type { Connection } from '../production.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'
import type { SimulatedNode } from './node.js'
import { dialWebSocket, openStream, type WayIn } from './ways-in.js'

/** The surroundings of a client. */
export interface ClientWorld {
  readonly world: World
  /** Returns a running node, chosen by the load balancer. */
  pickNode(random: Random): SimulatedNode | undefined
  tokenOf(jti: string): SimulatedToken
  /** Call when an application byte crosses a socket that uses this token. */
  crosses(who: string, how: string, token: SimulatedToken): void
  closed(client: Client, node: SimulatedNode, code: number, token: SimulatedToken): void
}

export const channel = 'room'

const travelMs = { min: 0.1, max: 4 }
const publishMs = { min: 20, max: 120 }
const maxRefusals = 5
const reconnectMs = { min: 5, max: 250 }

/** A client: connects, subscribes, publishes from time to time, and reconnects when it is closed. */
export class Client {
  readonly name: string
  readonly #in: ClientWorld
  readonly #random: Random
  /** The token of its next connection. */
  token: SimulatedToken
  #node: SimulatedNode | undefined
  #way: WayIn | undefined
  #connection: Connection | undefined
  readonly #slow: boolean
  /** True if its network blocks WebSockets. */
  readonly #blocked: boolean
  /** True if it reconnects although a close code forbids it. */
  readonly #stubborn: boolean
  #refusals = 0
  #over = false
  #vanished = false
  #awaySince = 0

  constructor(name: string, within: ClientWorld, token: SimulatedToken) {
    this.name = name
    this.#in = within
    this.token = token
    this.#random = within.world.random(`client/${name}`)
    this.#slow = this.#random.chance(0.15)
    this.#stubborn = this.#random.chance(0.5)
    this.#blocked = this.#random.chance(0.35)
    this.#awaySince = within.world.now
    this.#publishAgain()
  }

  /** The token of its connection; undefined without a connection. */
  get connectedWith(): SimulatedToken | undefined {
    const connection = this.#connection
    if (connection === undefined || connection.closed) {
      return undefined
    }
    if (this.#node?.process.killed !== false) {
      return undefined
    }
    return this.#in.tokenOf(connection.grant.jti)
  }

  get node(): SimulatedNode | undefined {
    return this.#node
  }

  /** How long it has had no connection, in milliseconds. */
  get awayMs(): number {
    return this.connectedWith === undefined ? this.#in.world.now - this.#awaySince : 0
  }

  /** True if it has left by itself at least once. */
  get vanished(): boolean {
    return this.#vanished
  }

  /** True if it has stopped reconnecting. */
  get over(): boolean {
    return this.#over
  }

  connect(): void {
    const node = this.#in.pickNode(this.#random)
    if (this.#way !== undefined || this.#over) {
      return
    }
    if (node === undefined) {
      this.#reconnect()
      return
    }
    this.#dial(node)
  }

  #dial(node: SimulatedNode): void {
    const { world } = this.#in
    const { token } = this
    let closed = false
    world.note(this.name, () => `dials ${node.name} with ${token.jti}`)
    const dial = this.#blocked ? openStream : dialWebSocket
    const way = dial({
      node,
      slow: this.#slow,
      token: token.jti,
      travel: () => this.#travel(),
      now: () => world.now,
      pickNode: () => this.#in.pickNode(this.#random),
      opened: (connection, status) => this.#opened(node, way, connection, status),
      ready: () => {
        if (this.#way === way) {
          this.#send({ subscribe: { channel } })
        }
      },
      out: (bytes) => this.#out(node, bytes),
      closed: (code) => {
        if (!closed) {
          closed = true
          world.schedule(this.#travel(), () => this.#closed(node, way, code))
        }
      },
    })
    this.#way = way
    this.#node = node
    this.#connection = undefined
    node.process.onKilled(() => way.gone())
  }

  #opened(
    node: SimulatedNode,
    way: WayIn,
    connection: Connection | undefined,
    status: number,
  ): void {
    const { world } = this.#in
    if (connection === undefined) {
      world.note(this.name, `is refused by ${node.name}: ${status}`)
      world.history.count(status === 401 ? 'refused: token' : 'refused: unavailable')
      world.schedule(this.#travel(), () => this.#closed(node, way, status))
      return
    }
    world.history.count(this.#blocked ? 'streams admitted' : 'admitted')
    world.note(this.name, () => `is connected to ${node.name} as ${connection.id.slice(0, 8)}`)
    this.#connection = connection
  }

  publish(): void {
    this.#send({ publish: { channel, data: { from: this.name } } })
  }

  /** Refreshes with another token of the same identity and subject. */
  refresh(token: SimulatedToken): void {
    this.token = token
    this.#send({ refresh: { token: token.jti } })
  }

  /** Leaves without closing its connection. */
  vanish(): void {
    const way = this.#way
    const node = this.#node
    if (way === undefined || node === undefined) {
      return
    }
    this.#vanished = true
    node.process.event(this.#travel(), () => way.gone())
  }

  #send(command: object): void {
    this.#way?.send(command)
  }

  #publishAgain(): void {
    const { min, max } = publishMs
    this.#in.world.schedule(this.#random.between(min, max), () => {
      this.publish()
      this.#publishAgain()
    })
  }

  #out(node: SimulatedNode, bytes: Buffer): void {
    const connection = this.#connection
    if (connection === undefined) {
      return
    }
    this.#in.world.history.count('writes')
    const token = this.#in.tokenOf(connection.grant.jti)
    this.#in.crosses(
      node.name,
      `writes ${bytes.length} bytes to ${this.name}${this.#slow ? ' (slow)' : ''}`,
      token,
    )
  }

  #closed(node: SimulatedNode, way: WayIn, code: number): void {
    if (this.#way !== way) {
      return
    }
    const { world } = this.#in
    world.note(this.name, `is closed by ${node.name}: ${code}`)
    const connection = this.#connection
    this.#way = undefined
    this.#connection = undefined
    if (connection !== undefined) {
      this.#awaySince = world.now
      this.#in.closed(this, node, code, this.#in.tokenOf(connection.grant.jti))
    }
    const terminal = code >= 4500 || code === 3500 || code === 401
    if (terminal && (!this.#stubborn || this.#refusals++ > maxRefusals)) {
      this.#over = true
    } else {
      this.#reconnect()
    }
  }

  #reconnect(): void {
    const { min, max } = reconnectMs
    this.#in.world.schedule(this.#random.between(min, max), () => this.connect())
  }

  #travel(): number {
    return this.#random.between(travelMs.min, travelMs.max)
  }
}
