import { jsonStreamCodec } from '@portcullis/protocol'
import type { ClientStream } from '../network/client-stream.js'
import {
  brokerKeys,
  type CloseDeadline,
  Connection,
  type EmulationAddress,
  Lobby,
  type Node,
  Relay,
  Sessions,
  type StreamTransport,
} from '../production.js'
import type { NodeOptions } from './node.js'

/** How long a client's token may take, in milliseconds. */
const deadlineMs = 2000

/** The HTTP streams of a node, and the commands for streams of other nodes, as the routes handle them. */
export class SimulatedStreams {
  readonly #options: NodeOptions
  readonly #node: Node
  readonly #closeDeadline: CloseDeadline
  readonly #sessions = new Sessions()
  readonly #opened = new WeakMap<object, (connection: Connection) => void>()
  readonly #relay: Relay
  readonly #lobby: Lobby

  constructor(options: NodeOptions, node: Node, closeDeadline: CloseDeadline) {
    const { process, name, broker } = options
    this.#options = options
    this.#node = node
    this.#closeDeadline = closeDeadline
    this.#lobby = new Lobby({
      deadlineMs,
      enter: (transport, codec, grant, token) => {
        const isAdmitted = (other: string) => other === token
        const connection = new Connection({ node, transport, codec, grant, isAdmitted })
        this.#opened.get(transport)?.(connection)
        return connection
      },
    })
    this.#relay = new Relay({
      uid: name,
      keys: brokerKeys('simulation', 1),
      subscriber: {
        add: async (key, _index, onMessage) => broker.subscribe(process, key, onMessage),
      },
      publisher: { publish: (key, message) => broker.send(process, key, message) },
      onCommands: (commands) => this.#sessions.receive(commands),
      onMalformed: () => process.world.fail(new Error('a relayed message is malformed')),
      onError: (error) => process.world.fail(error),
    })
    void this.#relay.listen()
  }

  /** Opens a stream; calls `opened` when its token is admitted. */
  open(stream: ClientStream, connect: string, opened: (connection: Connection) => void): void {
    const { parts, name, process } = this.#options
    const emulation = { session: `session-${process.random.whole(1, 1e12)}`, node: name }
    const transport: StreamTransport = new parts.StreamTransport({
      name: 'http_stream',
      raw: stream.raw as never,
      codec: jsonStreamCodec,
      emulation,
      closeDeadline: this.#closeDeadline,
    })
    this.#opened.set(transport, opened)
    const { introspect } = this.#node.tokens
    const guest = this.#lobby.add(transport, jsonStreamCodec, introspect)
    const removeSession = this.#sessions.add(emulation.session, 'http_stream', guest)
    stream.raw.once('close', () => {
      removeSession()
      transport.closed()
      guest.left()
    })
    guest.receive(Buffer.from(connect), false)
  }

  /** Hands commands to their session, at this node or through Redis at another one. */
  async emulate({ session, node }: EmulationAddress, text: string): Promise<void> {
    const { name, process } = this.#options
    const commands = { session, data: Buffer.from(text), isBinary: false }
    const { history } = process.world
    if (node === name) {
      history.count('commands of streams')
      this.#sessions.receive(commands)
      return
    }
    const isTaken = await this.#relay.send(node, commands).catch(() => false)
    history.count(isTaken ? 'commands relayed' : 'commands relayed in vain')
  }
}
