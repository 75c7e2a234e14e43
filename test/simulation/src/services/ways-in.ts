import { ClientSocket } from '../network/client-socket.js'
import { ClientStream } from '../network/client-stream.js'
import type { Connection, EmulationAddress } from '../production.js'
import type { SimulatedNode } from './node.js'

/** What a client tells its way in, and hears of it. */
export interface WayOptions {
  node: SimulatedNode
  /** True for a client that reads slowly. */
  slow: boolean
  token: string
  /** Returns the time of one message on the network, in milliseconds. */
  travel: () => number
  now: () => number
  /** Returns the node that gets the next emulation request. */
  pickNode: () => SimulatedNode | undefined
  opened: (connection: Connection | undefined, status: number) => void
  /** The client may send commands. */
  ready: () => void
  /** Application bytes have left the node's process. */
  out: (bytes: Buffer) => void
  closed: (code: number) => void
}

/** A client's connection, or its attempt to open one. */
export interface WayIn {
  /** Sends a command, unless the client cannot send one yet. */
  send(command: object): void
  /** The client leaves without closing. */
  gone(): void
}

/** Opens a WebSocket. Commands right after the upgrade do not wait for its answer. */
export function dialWebSocket(options: WayOptions): WayIn {
  const { node, slow, token, travel, now, opened, ready, out, closed } = options
  const socket = new ClientSocket(node.process, { out, closed }, slow)
  let commands = 0
  node.process.event(travel(), () => void node.upgrade(socket, token, opened))
  const way = {
    send(command: object): void {
      commands += 1
      const text = JSON.stringify({ id: commands, ...command })
      socket.sent = Math.max(socket.sent, now() + travel())
      node.process.event(socket.sent - now(), () => socket.message(text))
    },
    gone: () => socket.gone(),
  }
  way.send({ connect: {} })
  queueMicrotask(ready)
  return way
}

/** Opens an HTTP stream. Each command is a request of its own, which may arrive at any node. */
export function openStream(options: WayOptions): WayIn {
  const { node, slow, token, travel, pickNode, opened, ready, out, closed } = options
  let address: EmulationAddress | undefined
  let commands = 1
  const stream = new ClientStream(
    node.process,
    {
      out: (bytes) => {
        out(bytes)
        if (address === undefined) {
          address = addressIn(bytes)
          ready()
        }
      },
      closed,
    },
    slow,
  )
  const connect = JSON.stringify({ id: 1, connect: { token } })
  node.process.event(travel(), () => node.openStream(stream, connect, opened))
  return {
    send(command) {
      const to = pickNode()
      if (address === undefined || to === undefined) {
        return
      }
      const { session, node: name } = address
      commands += 1
      const text = JSON.stringify({ id: commands, ...command })
      to.process.event(travel(), () => void to.emulate({ session, node: name }, text))
    },
    gone: () => stream.gone(),
  }
}

/** Returns the session and the node of the reply to `connect`, the first message of a stream. */
function addressIn(bytes: Buffer): EmulationAddress | undefined {
  const { connect } = JSON.parse(bytes.toString().split('\n', 1)[0] ?? '')
  return connect === undefined ? undefined : { session: connect.session, node: connect.node }
}
