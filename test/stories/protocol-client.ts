import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

/** The members of a reply or push that the stories use. */
export interface Message {
  id?: number
  error?: { code: number; message: string }
  connect?: { client: string; node?: string; expires?: boolean; ttl?: number }
  refresh?: { expires?: boolean; ttl?: number }
  push?: { channel?: string; pub?: { data: unknown } }
  [kind: string]: unknown
}

/**
 * A client that exposes each message and how the socket ended. Stories about the wire protocol use
 * this, stories about users the official SDK.
 */
export class ProtocolClient {
  readonly publications: unknown[] = []
  /** The name of the node that it is connected to. */
  node = ''
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #socket: WebSocket
  readonly #replies = new Map<number, (message: Message) => void>()
  readonly #pushed = new Map<string, () => void>()
  #published: (() => void)[] = []
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on('message', (data) => {
      for (const line of data.toString().split('\n')) {
        this.#receive(JSON.parse(line) as Message)
      }
    })
  }

  /** Opens a socket and sends the connect command. Rejects with `Refused` when the upgrade is refused. */
  static open(wsUrl: string, token: string): Promise<ProtocolClient> {
    return ProtocolClient.#dial(wsUrl, { authorization: `Bearer ${token}` }, {})
  }

  /** Opens a socket with the token only in the connect command (`ADMISSION=connect`). */
  static openWithFirstFrame(wsUrl: string, token: string): Promise<ProtocolClient> {
    return ProtocolClient.#dial(wsUrl, {}, { token })
  }

  static async #dial(
    wsUrl: string,
    headers: Record<string, string>,
    connect: { token?: string },
  ): Promise<ProtocolClient> {
    const socket = new WebSocket(wsUrl, { headers })
    const client = new ProtocolClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
      socket.once('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
        reject(new Refused(response))
        request.destroy()
      })
    })
    const { error, connect: reply } = await client.command({ connect })
    if (error !== undefined) {
      throw new Error(`connect: ${error.code} ${error.message}`)
    }
    client.node = reply?.node ?? ''
    return client
  }

  /** Sends a command and returns its reply. */
  async command(command: Record<string, unknown>): Promise<Message> {
    const id = ++this.#id
    const reply = new Promise<Message>((resolve) => this.#replies.set(id, resolve))
    this.#socket.send(JSON.stringify({ id, ...command }))
    return await Promise.race([
      reply,
      this.closed.then(({ code }) => ({ error: { code, message: 'closed' } })),
    ])
  }

  /** Waits until `count` publications have arrived. */
  async received(count: number): Promise<readonly unknown[]> {
    while (this.publications.length < count) {
      await new Promise<void>((resolve) => this.#published.push(resolve))
    }
    return this.publications
  }

  /** Waits for the next push of this kind. */
  async pushed(kind: string): Promise<void> {
    await new Promise<void>((resolve) => this.#pushed.set(kind, resolve))
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) {
      return
    }
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #receive(message: Message): void {
    if (message.id !== undefined) {
      this.#replies.get(message.id)?.(message)
      this.#replies.delete(message.id)
    } else if (message.push?.pub !== undefined) {
      this.publications.push(message.push.pub.data)
      for (const wake of this.#published.splice(0)) {
        wake()
      }
    } else if (message.push !== undefined) {
      for (const kind of Object.keys(message.push)) {
        this.#pushed.get(kind)?.()
      }
    } else if (Object.keys(message).length === 0) {
      this.#socket.send('{}')
    }
  }
}

/** An upgrade that was answered with an HTTP error. */
export class Refused extends Error {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  constructor(response: IncomingMessage) {
    super(`upgrade refused: ${response.statusCode}`)
    this.status = response.statusCode ?? 0
    this.headers = response.headers
  }
}
