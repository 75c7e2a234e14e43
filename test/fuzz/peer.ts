import { once } from 'node:events'
import { type Codec, jsonCodec, ProtocolError, protobufCodec } from '@portcullis/protocol'
import { WebSocket } from 'ws'

/** Close codes that a node may use for a fuzzing client; 3004, an internal error, is not one. */
const expectedCodes = new Set([1007, 1009, 3013, 3500, 3501, 3506])

/** The largest id, used for the command after all others. */
const lastId = 4_294_967_295
const last = {
  json: Buffer.from(`{"id":${lastId},"unsubscribe":{"channel":"last"}}`),
  protobuf: Buffer.from('0d08ffffffff0f32060a046c617374', 'hex'),
}
const connect = {
  json: Buffer.from('{"id":1,"connect":{}}'),
  protobuf: Buffer.from('0408012200', 'hex'),
}
const pong = { json: Buffer.from('{}'), protobuf: Buffer.of(0) }

export type Form = keyof typeof last
const codecs: Readonly<Record<Form, Codec>> = { json: jsonCodec, protobuf: protobufCodec }

/** A client that sends any bytes and checks the replies. */
export class FuzzPeer {
  readonly #socket: WebSocket
  readonly #form: Form
  /** Number of received replies, by id. */
  readonly #replies = new Map<number, number>()
  #closed: number | undefined
  #wake = () => {}

  private constructor(socket: WebSocket, form: Form) {
    this.#socket = socket
    this.#form = form
    socket.on('message', (data: Buffer) => {
      for (const id of ids(form, data)) {
        if (id === 0) {
          socket.send(pong[form], { binary: form === 'protobuf' })
        } else if (id !== undefined) {
          this.#replies.set(id, (this.#replies.get(id) ?? 0) + 1)
        }
      }
      this.#wake()
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      this.#closed = code
      this.#wake()
    })
  }

  /** Opens a connection and sends `connect`. */
  static async open(wsUrl: string, token: string, form: Form): Promise<FuzzPeer> {
    const headers = { authorization: `Bearer ${token}` }
    const offered = form === 'protobuf' ? ['centrifuge-protobuf'] : []
    const socket = new WebSocket(wsUrl, offered, { headers, perMessageDeflate: false })
    await once(socket, 'open')
    const peer = new FuzzPeer(socket, form)
    await peer.send([connect[form]])
    return peer
  }

  get closed(): number | undefined {
    return this.#closed
  }

  /**
   * Sends messages and then one last command. Resolves when every valid command has its reply, or when
   * the connection has been closed.
   *
   * @throws Error when it was closed without a code, or with an unexpected one
   */
  async send(messages: readonly Buffer[], binary = this.#form === 'protobuf'): Promise<void> {
    const expected = expectedReplies(codecs[this.#form], [...messages, last[this.#form]])
    this.#replies.clear()
    for (const message of messages) {
      this.#socket.send(message, { binary })
    }
    this.#socket.send(last[this.#form], { binary: this.#form === 'protobuf' })
    while (this.#closed === undefined && !this.#has(expected)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#closed !== undefined && !expectedCodes.has(this.#closed)) {
      throw new Error(`closed with ${this.#closed}`)
    }
  }

  disconnect(): void {
    this.#socket.terminate()
  }

  #has(expected: ReadonlyMap<number, number>): boolean {
    return [...expected].every(([id, count]) => (this.#replies.get(id) ?? 0) >= count)
  }
}

/** Returns the number of replies that each id will get; invalid messages get none. */
function expectedReplies(codec: Codec, messages: readonly Buffer[]): Map<number, number> {
  const expected = new Map<number, number>()
  for (const message of messages) {
    try {
      for (const command of codec.decode(message)) {
        if (!('id' in command)) {
          continue
        }
        expected.set(command.id, (expected.get(command.id) ?? 0) + 1)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        throw error
      }
    }
  }
  return expected
}

/** Returns the id of each received message; 0 is a ping, undefined a push. */
function ids(form: Form, data: Buffer): (number | undefined)[] {
  if (form === 'json') {
    return data
      .toString()
      .split('\n')
      .map((line) => (line === '{}' ? 0 : JSON.parse(line).id))
  }
  const found: (number | undefined)[] = []
  for (let at = 0; at < data.length; ) {
    const [length, end] = varint(data, at)
    found.push(length === 0 ? 0 : data[end] === 8 ? varint(data, end + 1)[0] : undefined)
    at = end + length
  }
  return found
}

/** Returns the number that begins at `at`, and the position after it. */
function varint(data: Buffer, at: number): [value: number, end: number] {
  let value = 0
  for (let shift = 1; ; shift *= 128, at += 1) {
    const byte = data[at] ?? 0
    value += (byte & 127) * shift
    if (byte < 128) {
      return [value, at + 1]
    }
  }
}
