import type { TokenResponse } from '@portcullis/contracts/tokens'
import { WebSocket } from 'ws'
import { until } from '../until.js'

/** Data of every publication in these tests: the publisher, and the number of its publication. */
export interface Data {
  from: string
  n: number
}

/** A received publication. Times are `performance.now()` of the test process, in milliseconds. */
export interface Received extends Data {
  at: number
}

export interface Sent {
  n: number
  at: number
  /** Time of the successful reply. */
  acceptedAt?: number
}

interface Message {
  id?: number
  error?: { code: number; message: string }
  push?: { pub?: { data: Data } }
}

export const channel = 'news'

/** A client that records every application message, in and out, with its time. */
export class Recorder {
  readonly name: string
  readonly token: TokenResponse
  /** Every received message except pings; replies count as application bytes. */
  readonly messages: { at: number; text: string }[] = []
  /** The publications among the messages. */
  readonly received: Received[] = []
  readonly sent: Sent[] = []
  /** Set when the socket has closed. */
  end: { at: number; code: number } | undefined
  readonly #socket: WebSocket
  /** Called with undefined when the socket closes before the reply. */
  readonly #replies = new Map<number, (reply: Message | undefined) => void>()
  #id = 0

  private constructor(name: string, token: TokenResponse, socket: WebSocket) {
    this.name = name
    this.token = token
    this.#socket = socket
    socket.once('close', (code) => {
      this.end = { at: performance.now(), code }
      for (const answer of this.#replies.values()) {
        answer(undefined)
      }
    })
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      for (const line of data.toString().split('\n')) {
        this.#receive(line)
      }
    })
  }

  /** Connects and subscribes to `channel`. Rejects when the node refuses. */
  static async open(name: string, wsUrl: string, token: TokenResponse): Promise<Recorder> {
    const socket = new WebSocket(wsUrl, {
      headers: { authorization: `Bearer ${token.access_token}` },
    })
    const recorder = new Recorder(name, token, socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    await recorder.#command({ connect: {} })
    await recorder.#command({ subscribe: { channel } })
    return recorder
  }

  /** Publishes the next number without waiting for the reply. Returns the number. */
  publish(): number {
    const sent: Sent = { n: this.sent.length + 1, at: performance.now() }
    this.sent.push(sent)
    const data: Data = { from: this.name, n: sent.n }
    this.#command({ publish: { channel, data } }).then(
      () => {
        sent.acceptedAt = performance.now()
      },
      // Refused, or the socket has closed: not accepted.
      () => undefined,
    )
    return sent.n
  }

  /** Waits for a publication numbered `min` or more. Rejects when the socket closes before. */
  receives(from: string, min: number): Promise<Received> {
    return until(`${this.name} receives publication ${min} or later of ${from}`, () => {
      const found = this.received.findLast((one) => one.from === from && one.n >= min)
      if (found === undefined && this.end !== undefined) {
        throw new Error(
          `${this.name} was closed (${this.end.code}) before publication ${min} of ${from}`,
        )
      }
      return found
    })
  }

  /** Waits until the socket has closed; returns the close code. */
  async closed(): Promise<number> {
    return (await until(`${this.name} is closed`, () => this.end)).code
  }

  /** Cuts the connection. */
  disconnect(): void {
    this.#socket.terminate()
  }

  #command(command: Record<string, unknown>): Promise<Message> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#replies.set(id, (reply) => {
        if (reply === undefined) {
          reject(new Error(`${this.name} was closed (${this.end?.code})`))
        } else if (reply.error !== undefined) {
          reject(new Error(reply.error.message))
        } else {
          resolve(reply)
        }
      })
      if (this.#socket.readyState === WebSocket.OPEN) {
        this.#socket.send(JSON.stringify({ id, ...command }))
      }
    })
  }

  #receive(line: string): void {
    if (line === '{}') {
      this.#socket.send('{}')
      return
    }
    const at = performance.now()
    this.messages.push({ at, text: line })
    const message = JSON.parse(line) as Message
    if (message.id !== undefined) {
      this.#replies.get(message.id)?.(message)
      this.#replies.delete(message.id)
    }
    const data = message.push?.pub?.data
    if (data !== undefined) {
      this.received.push({ at, ...data })
    }
  }
}
