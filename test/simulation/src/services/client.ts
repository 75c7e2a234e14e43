import { ClientSocket } from '../network/client-socket.js'
import type { Connection } from '../production.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'
import type { SimulatedNode } from './node.js'

/** What a client asks of the world that it lives in. */
export interface ClientWorld {
  readonly world: World
  /** A node that runs, of those behind the load balancer. */
  pickNode(random: Random): SimulatedNode | undefined
  tokenOf(jti: string): SimulatedToken
  /** An application byte crosses a socket that stands on this token. */
  crosses(who: string, how: string, token: SimulatedToken): void
  closed(client: Client, node: SimulatedNode, code: number, token: SimulatedToken): void
}

export const channel = 'room'

const travelMs = { least: 0.1, most: 4 }
const publishMs = { least: 20, most: 120 }
const mostRefusals = 5
const comeBackMs = { least: 5, most: 250 }

/** A client: connects, subscribes, publishes now and then, and comes back when it is sent away. */
export class Client {
  readonly name: string
  readonly #in: ClientWorld
  readonly #random: Random
  /** The token that it shows next. */
  token: SimulatedToken
  #node: SimulatedNode | undefined
  #socket: ClientSocket | undefined
  #connection: Connection | undefined
  #commands = 0
  readonly #slow: boolean
  /** It leaves alone what it was told not to come back to, or tries all the same. */
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
    this.#awaySince = within.world.now
    this.#publishAgain()
  }

  /** The token that its connection stands on; undefined when it has none. */
  get standsOn(): SimulatedToken | undefined {
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

  /** For how long it has had no connection. */
  get awayMs(): number {
    return this.standsOn === undefined ? this.#in.world.now - this.#awaySince : 0
  }

  /** It has gone away by itself at least once. */
  get vanished(): boolean {
    return this.#vanished
  }

  /** It has been told not to come back. */
  get over(): boolean {
    return this.#over
  }

  connect(): void {
    const { world } = this.#in
    const node = this.#in.pickNode(this.#random)
    if (this.#socket !== undefined || this.#over) {
      return
    }
    if (node === undefined) {
      this.#comeBack()
      return
    }
    let closed = false
    const socket = new ClientSocket(
      node.process,
      {
        out: (bytes) => this.#out(node, bytes),
        closed: (code) => {
          if (closed) {
            return
          }
          closed = true
          world.schedule(this.#travel(), () => this.#closed(node, socket, code))
        },
      },
      this.#slow,
    )
    this.#socket = socket
    this.#node = node
    this.#connection = undefined
    const token = this.token
    world.note(this.name, () => `dials ${node.name} with ${token.jti}`)
    node.process.onKilled(() => socket.gone())
    node.process.event(this.#travel(), () => {
      void node.upgrade(socket, token.jti, (connection, status) => {
        if (connection === undefined) {
          world.note(this.name, `is refused by ${node.name}: ${status}`)
          world.history.count(status === 401 ? 'refused: token' : 'refused: unavailable')
          world.schedule(this.#travel(), () => this.#closed(node, socket, status))
          return
        }
        world.history.count('admitted')
        world.note(this.name, () => `is connected to ${node.name} as ${connection.id.slice(0, 8)}`)
        this.#connection = connection
      })
    })
    // Right behind the upgrade, as a client in a hurry does it.
    this.#send({ connect: {} })
    this.#send({ subscribe: { channel } })
  }

  publish(): void {
    this.#send({ publish: { channel, data: { from: this.name } } })
  }

  /** Moves to another token of the same identity and subject. */
  refresh(token: SimulatedToken): void {
    this.token = token
    this.#send({ refresh: { token: token.jti } })
  }

  /** Leaves without a word. */
  vanish(): void {
    const socket = this.#socket
    const node = this.#node
    if (socket === undefined || node === undefined) {
      return
    }
    this.#vanished = true
    node.process.event(this.#travel(), () => socket.gone())
  }

  #send(command: object): void {
    const socket = this.#socket
    const node = this.#node
    if (socket === undefined || node === undefined) {
      return
    }
    this.#commands += 1
    const text = JSON.stringify({ id: this.#commands, ...command })
    socket.sent = Math.max(socket.sent, this.#in.world.now + this.#travel())
    node.process.event(socket.sent - this.#in.world.now, () => socket.message(text))
  }

  #publishAgain(): void {
    const { least, most } = publishMs
    this.#in.world.schedule(this.#random.between(least, most), () => {
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

  #closed(node: SimulatedNode, socket: ClientSocket, code: number): void {
    if (this.#socket !== socket) {
      return
    }
    const { world } = this.#in
    world.note(this.name, `is closed by ${node.name}: ${code}`)
    const connection = this.#connection
    this.#socket = undefined
    this.#connection = undefined
    if (connection !== undefined) {
      this.#awaySince = world.now
      this.#in.closed(this, node, code, this.#in.tokenOf(connection.grant.jti))
    }
    // Stubborn ones try what they were told not to, for a while.
    const terminal = code >= 4500 || code === 3500 || code === 401
    if (terminal && (!this.#stubborn || this.#refusals++ > mostRefusals)) {
      this.#over = true
    } else {
      this.#comeBack()
    }
  }

  #comeBack(): void {
    const { least, most } = comeBackMs
    this.#in.world.schedule(this.#random.between(least, most), () => this.connect())
  }

  #travel(): number {
    return this.#random.between(travelMs.least, travelMs.most)
  }
}
