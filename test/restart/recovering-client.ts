import { WebSocket } from 'ws'
import type { Received } from './judge.js'

/** Events of all clients of one swarm. */
export interface Journal {
  /** Closes by the server: time and code. */
  closed: { at: number; code: number }[]
  /** Resubscriptions: time, and how long the client was away. */
  resubscribed: { at: number; awayMs: number }[]
  /** Upgrades answered with an HTTP error. */
  refusals: { status: number; retryAfter: string | undefined }[]
  /** Connection attempts without a response. */
  unreachable: number
  /** Events that must not happen. */
  faults: string[]
}

export interface RecoveringClientOptions {
  urls: readonly string[]
  token: string
  channel: string
  journal: Journal
}

interface Push {
  offset: number
  data: { n: number }
}

interface Message {
  id?: number
  error?: { code: number; message: string }
  subscribe?: {
    epoch: string
    offset: number
    was_recovering?: boolean
    recovered?: boolean
    publications?: Push[]
  }
  push?: { pub?: Push }
}

/** Reconnect delay of the official client: this, plus a random part of it. */
const firstDelayMs = 500
const connectTimeoutMs = 30_000

/**
 * A minimal client with recovery: it records what it receives, reconnects to any node after every
 * close, and recovers from its last position.
 */
export class RecoveringClient {
  readonly received: Received[] = []
  readonly #options: RecoveringClientOptions
  #socket: WebSocket | undefined
  #position: { epoch: string; offset: number } | undefined
  #subscribed = false
  #awaySince: number | undefined
  #upTo: number | undefined
  #settled: (() => void) | undefined
  #disconnected = false

  constructor(options: RecoveringClientOptions) {
    this.#options = options
    this.#dial(this.#anyUrl())
  }

  /** Resolves when the client is subscribed and has received everything up to an offset. */
  settled(upTo: number): Promise<void> {
    this.#upTo = upTo
    return new Promise((resolve) => {
      this.#settled = resolve
      this.#checkSettled()
    })
  }

  describe(): string {
    const { channel } = this.#options
    const state = this.#subscribed ? 'subscribed' : 'away'
    return `${channel} up to ${this.#position?.offset ?? 'nothing'}, ${state}`
  }

  disconnect(): void {
    this.#disconnected = true
    this.#socket?.terminate()
  }

  #dial(url: string): void {
    const { token, journal } = this.#options
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: connectTimeoutMs,
      headers: { authorization: `Bearer ${token}` },
    })
    this.#socket = socket
    let opened = false
    let refused = false
    socket.on('unexpected-response', (_request, { statusCode: status = 0, headers }) => {
      refused = true
      journal.refusals.push({ status, retryAfter: headers['retry-after'] })
      if (status !== 503) {
        journal.faults.push(`an upgrade was answered with ${status}`)
      }
      socket.terminate()
    })
    socket.on('open', () => {
      opened = true
      socket.send(this.#firstCommands())
    })
    socket.on('message', (data) => {
      for (const line of data.toString().split('\n')) {
        this.#receive(line)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      if (this.#disconnected) {
        return
      }
      if (opened) {
        journal.closed.push({ at: Date.now(), code })
      } else if (!refused) {
        journal.unreachable += 1
      }
      this.#reconnect(url, opened)
    })
  }

  #firstCommands(): string {
    const { channel } = this.#options
    const since = this.#position === undefined ? {} : { recover: true, ...this.#position }
    return `{"id":1,"connect":{}}\n${JSON.stringify({ id: 2, subscribe: { channel, ...since } })}`
  }

  /** After a refusal, connects to another node at once, as a load balancer would; after a close, to any node, later. */
  #reconnect(from: string, opened: boolean): void {
    if (this.#subscribed) {
      this.#awaySince = Date.now()
    }
    this.#subscribed = false
    const delay = opened ? firstDelayMs + Math.random() * firstDelayMs : Math.random() * 100
    setTimeout(() => {
      if (!this.#disconnected) {
        this.#dial(opened ? this.#anyUrl() : this.#anyUrl(from))
      }
    }, delay)
  }

  #anyUrl(except?: string): string {
    const urls = this.#options.urls.filter((url) => url !== except)
    const url = urls[Math.floor(Math.random() * urls.length)]
    if (url === undefined) {
      throw new Error('no other node')
    }
    return url
  }

  #receive(line: string): void {
    if (line === '{}') {
      this.#socket?.send('{}')
      return
    }
    const { id, error, subscribe, push } = JSON.parse(line) as Message
    if (error !== undefined) {
      this.#onError(`command ${id} was answered with ${error.code}`, error.code)
    } else if (subscribe !== undefined) {
      this.#onSubscribed(subscribe)
    } else if (push?.pub !== undefined) {
      this.#onPublication(push.pub)
    }
    this.#checkSettled()
  }

  /** Closes the connection to retry; a temporary error (100) is not a fault. */
  #onError(what: string, code: number): void {
    if (code !== 100) {
      this.#options.journal.faults.push(what)
    }
    this.#socket?.close()
  }

  #onSubscribed({ epoch, offset, was_recovering, recovered, publications = [] }: Subscribed): void {
    const { journal, channel } = this.#options
    if (was_recovering === true && recovered !== true) {
      journal.faults.push(`${channel}: not recovered`)
    }
    for (const publication of publications) {
      this.#onPublication(publication)
    }
    this.#position = { epoch, offset }
    this.#subscribed = true
    if (this.#awaySince === undefined) {
      return
    }
    const at = Date.now()
    journal.resubscribed.push({ at, awayMs: at - this.#awaySince })
    this.#awaySince = undefined
  }

  #onPublication({ offset, data: { n } }: Push): void {
    this.received.push({ n, offset })
    if (this.#position !== undefined) {
      this.#position.offset = offset
    }
  }

  #checkSettled(): void {
    if (!this.#subscribed || this.#upTo === undefined) {
      return
    }
    if ((this.#position?.offset ?? 0) < this.#upTo) {
      return
    }
    this.#settled?.()
    this.#settled = undefined
    this.#upTo = undefined
  }
}

type Subscribed = NonNullable<Message['subscribe']>
