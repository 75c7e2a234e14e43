import { EventEmitter } from 'node:events'
import type { Door } from '../production.js'
import type { Process } from '../world/process.js'
import { RawSocket } from './client-socket.js'

/** Fastify's types, as the gate uses them. */
type Hook = ReturnType<Door['admit']>
export type Request = Parameters<Hook>[0]
export type Reply = Parameters<Hook>[1]

/** Fastify's reply to a request or an upgrade. */
export class SimulatedReply {
  status = 0
  readonly raw = Object.assign(new EventEmitter(), {
    headersSent: false,
    socket: null as RawSocket | null,
    destroy: () => undefined,
  })

  get statusCode(): number {
    return this.status
  }

  code(status: number): this {
    this.status = status
    return this
  }

  header(): this {
    return this
  }

  getHeaders(): Record<string, string> {
    return {}
  }

  removeHeader(): this {
    return this
  }

  type(): this {
    return this
  }

  send(): this {
    return this
  }
}

/** The head of a request; its body arrives in pieces. */
export class IncomingHead extends EventEmitter {
  readonly headers: Record<string, string>
  readonly rawHeaders: readonly string[]
  readonly socket: RawSocket
  #complete = false

  constructor(token: string, socket: RawSocket) {
    super()
    const authorization = `Bearer ${token}`
    this.headers = { authorization }
    this.rawHeaders = ['Authorization', authorization]
    this.socket = socket
  }

  /** True once the whole body has arrived. */
  get complete(): boolean {
    return this.#complete
  }

  set complete(complete) {
    this.#complete = complete
  }
}

/** A request over HTTP at the process that serves it, with Fastify's request and reply. */
export class HttpRequest {
  readonly token: string
  readonly request: Request
  readonly reply: Reply
  readonly #process: Process
  readonly #raw: IncomingHead
  readonly #reply = new SimulatedReply()
  readonly #answered: (status: number) => void
  readonly #body: Promise<boolean>

  /**
   * @param pieces - the milliseconds between the pieces of the body
   * @param answered - receives the status of the answer; 0 when the connection is cut without an answer
   */
  constructor(
    process: Process,
    token: string,
    pieces: readonly number[],
    answered: (status: number) => void,
    Head: typeof IncomingHead = IncomingHead,
  ) {
    this.#process = process
    this.token = token
    this.#answered = answered
    const socket = new RawSocket(process, { out: () => undefined, closed: () => undefined }, false)
    this.#raw = new Head(token, socket)
    this.#reply.raw.socket = socket
    const raw = this.#raw
    this.request = { raw, query: {}, headers: raw.headers, ws: false } as unknown as Request
    this.reply = this.#reply as unknown as Reply
    this.#body = this.#receive(pieces)
  }

  /** Resolves to true when the whole body has arrived; to false when the connection ends before. */
  get body(): Promise<boolean> {
    return this.#body
  }

  /** Sends the answer. */
  answer(status: number): void {
    const { raw } = this.#reply
    if (raw.socket?.destroyed !== false) {
      return
    }
    raw.headersSent = true
    this.#answered(status)
    this.#process.event(0.01, () => raw.emit('close'))
  }

  #receive(pieces: readonly number[]): Promise<boolean> {
    const { socket } = this.#raw
    const { history } = this.#process.world
    return new Promise((resolve) => {
      socket.once('close', () => {
        if (this.#reply.raw.headersSent) {
          return
        }
        if (!this.#raw.complete) {
          history.count('bodies cut')
        }
        this.#answered(0)
        this.#reply.raw.emit('close')
        resolve(false)
      })
      let missing = pieces.length
      let at = 0
      for (const ms of pieces) {
        at += ms
        this.#process.event(at, () => {
          missing -= 1
          if (missing > 0 || socket.destroyed) {
            return
          }
          this.#raw.complete = true
          resolve(true)
        })
      }
    })
  }
}
