import { WebSocket } from 'ws'
import type { Heard } from './judge.js'

/** What one client goes through, and what all of a swarm have in common. */
export interface Journal {
  /** Each close that was not our own: when, and with what. */
  closed: { at: number; code: number }[]
  /** Each time that a client is subscribed again: when, and for how long it was not. */
  back: { at: number; awayMs: number }[]
  /** Upgrades that were answered with something else. */
  refusals: { status: number; retryAfter: string | undefined }[]
  /** Dials that nobody answered. */
  unreachable: number
  /** What must not happen at all. */
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

/** As the official client waits: this long, and a random part of half a second. */
const firstDelayMs = 500
const connectTimeoutMs = 30_000

/**
 * The smallest client that loses nothing: it knows the place up to which it has everything, comes back
 * after every close, at any of the nodes, and goes on from there. It writes down what it hears.
 */
export class RecoveringClient {
  readonly heard: Heard[] = []
  readonly #options: RecoveringClientOptions
  #socket: WebSocket | undefined
  #place: { epoch: string; offset: number } | undefined
  #subscribed = false
  #awaySince: number | undefined
  #upTo: number | undefined
  #settled: (() => void) | undefined
  #left = false

  constructor(options: RecoveringClientOptions) {
    this.#options = options
    this.#dial(this.#anyUrl())
  }

  /** Resolves when it is subscribed and has heard everything up to an offset. */
  settled(upTo: number): Promise<void> {
    this.#upTo = upTo
    return new Promise((resolve) => {
      this.#settled = resolve
      this.#look()
    })
  }

  describe(): string {
    const { channel } = this.#options
    const state = this.#subscribed ? 'subscribed' : 'away'
    return `${channel} up to ${this.#place?.offset ?? 'nothing'}, ${state}`
  }

  leave(): void {
    this.#left = true
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
      socket.send(this.#greeting())
    })
    socket.on('message', (data) => {
      for (const line of data.toString().split('\n')) {
        this.#receive(line)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      if (this.#left) {
        return
      }
      if (opened) {
        journal.closed.push({ at: Date.now(), code })
      } else if (!refused) {
        journal.unreachable += 1
      }
      this.#comeBack(url, opened)
    })
  }

  #greeting(): string {
    const { channel } = this.#options
    const since = this.#place === undefined ? {} : { recover: true, ...this.#place }
    return `{"id":1,"connect":{}}\n${JSON.stringify({ id: 2, subscribe: { channel, ...since } })}`
  }

  /** A load balancer finds another node for who was refused; who was closed comes back as it likes. */
  #comeBack(from: string, opened: boolean): void {
    if (this.#subscribed) {
      this.#awaySince = Date.now()
    }
    this.#subscribed = false
    const delay = opened ? firstDelayMs + Math.random() * firstDelayMs : Math.random() * 100
    setTimeout(() => {
      if (!this.#left) {
        this.#dial(opened ? this.#anyUrl() : this.#anyUrl(from))
      }
    }, delay)
  }

  #anyUrl(except?: string): string {
    const urls = this.#options.urls.filter((url) => url !== except)
    const url = urls[Math.floor(Math.random() * urls.length)]
    if (url === undefined) {
      throw new Error('there is no other node')
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
      this.#failed(`command ${id} was answered with ${error.code}`, error.code)
    } else if (subscribe !== undefined) {
      this.#begin(subscribe)
    } else if (push?.pub !== undefined) {
      this.#take(push.pub)
    }
    this.#look()
  }

  /** A temporary error (100: try again) is no fault: it says so, and the client comes back. */
  #failed(what: string, code: number): void {
    if (code !== 100) {
      this.#options.journal.faults.push(what)
    }
    this.#socket?.close()
  }

  #begin({ epoch, offset, was_recovering, recovered, publications = [] }: Subscribed): void {
    const { journal, channel } = this.#options
    if (was_recovering === true && recovered !== true) {
      journal.faults.push(`${channel}: not recovered`)
    }
    for (const publication of publications) {
      this.#take(publication)
    }
    this.#place = { epoch, offset }
    this.#subscribed = true
    if (this.#awaySince === undefined) {
      return
    }
    const at = Date.now()
    journal.back.push({ at, awayMs: at - this.#awaySince })
    this.#awaySince = undefined
  }

  #take({ offset, data: { n } }: Push): void {
    this.heard.push({ n, offset })
    if (this.#place !== undefined) {
      this.#place.offset = offset
    }
  }

  #look(): void {
    if (!this.#subscribed || this.#upTo === undefined) {
      return
    }
    if ((this.#place?.offset ?? 0) < this.#upTo) {
      return
    }
    this.#settled?.()
    this.#settled = undefined
    this.#upTo = undefined
  }
}

type Subscribed = NonNullable<Message['subscribe']>
