import type { TokenResponse } from '@portcullis/contracts/tokens'
import { WebSocket } from 'ws'
import { until } from './until.js'

/** What is published in these tests: who says it, and the number of what they say. */
export interface Telling {
  from: string
  n: number
}

/** Times are of `performance.now()` of this one process, in milliseconds. */
export interface Heard extends Telling {
  at: number
}

export interface Said {
  n: number
  at: number
  /** Set when the node has answered that it took it. */
  takenAt?: number
}

interface Message {
  id?: number
  error?: { code: number; message: string }
  push?: { pub?: { data: Telling } }
}

export const channel = 'news'

/** A client that writes down every message of the application, in and out, with its time. */
export class Recorder {
  readonly name: string
  readonly token: TokenResponse
  /** Every message but pings: replies are the application's bytes too. */
  readonly messages: { at: number; text: string }[] = []
  /** The publications among them. */
  readonly heard: Heard[] = []
  readonly said: Said[] = []
  /** Set when the socket has closed. */
  end: { at: number; code: number } | undefined
  readonly #socket: WebSocket
  /** Told nothing when the socket closes first. */
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

  /** Connects and subscribes to the channel of these tests. Rejects when it is refused. */
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

  /** Publishes the next of its tellings, and waits for nothing. Gives its number. */
  say(): number {
    const said: Said = { n: this.said.length + 1, at: performance.now() }
    this.said.push(said)
    const data: Telling = { from: this.name, n: said.n }
    this.#command({ publish: { channel, data } }).then(
      () => {
        said.takenAt = performance.now()
      },
      // Refused, or the socket has closed: not taken.
      () => undefined,
    )
    return said.n
  }

  /** Waits for a publication. Rejects when the socket closes before it comes. */
  hears(from: string, atLeast: number): Promise<Heard> {
    return until(`${this.name} hears ${from} say ${atLeast} or more`, () => {
      const found = this.heard.findLast((one) => one.from === from && one.n >= atLeast)
      if (found === undefined && this.end !== undefined) {
        throw new Error(`${this.name} was closed (${this.end.code}) and heard no ${atLeast}`)
      }
      return found
    })
  }

  /** Waits until the socket has closed; gives the code. */
  async ends(): Promise<number> {
    return (await until(`${this.name} is closed`, () => this.end)).code
  }

  /** Cuts the connection. */
  leave(): void {
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
      this.heard.push({ at, ...data })
    }
  }
}
