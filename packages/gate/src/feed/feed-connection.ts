import { feedClose, type NodeMessage } from '@portcullis/contracts/feed'
import type { FastifyBaseLogger } from 'fastify'
import { type RawData, WebSocket } from 'ws'
import { Backoff, spread } from '../auth/backoff.js'
import type { Credentials } from '../auth/credentials.js'
import { createDial, type Dial, type FeedSocket } from './dial.js'
import { Liveness } from './liveness.js'
import { FeedGarbage } from './messages.js'

/** Milliseconds. */
export interface FeedTiming {
  /** From the dial to the answer of the upgrade. Doubled, then doubled again, after failed tries. */
  handshakeMs: number
  /** From the upgrade to the welcome. Doubled likewise. */
  welcomeMs: number
  /** Between pings. Auth counts as dead when nothing has arrived since the last ping. */
  pingMs: number
  firstRetryMs: number
  maxRetryMs: number
  /** After auth has refused the node's name. */
  refusedRetryMs: number
  /** Between renewals of the lease, until auth has sent the length of the lease. */
  renewMs: number
  /** How long to wait for the goodbye, and for the socket to close. */
  goodbyeMs: number
}

/** The connection calls each of these synchronously. */
export interface FeedListener {
  opened(): void
  /** Handles the text of a message; returns true once auth has sent its welcome. @throws FeedGarbage */
  received(text: string): boolean
  /** The connection ended with this close code. Another follows unless the feed is closed. */
  lost(code: number): void
}

/** Explains close codes to the operator. */
const meanings: Readonly<Record<number, string>> = {
  [feedClose.badMessage]: 'auth does not understand this gate; run both in the same version',
  [feedClose.replaced]:
    'a later process uses this node name; end this one, and give each node a name of its own',
  [feedClose.nameRefused]:
    'this identity may not use this node name, or a node of another identity has it; give this node another name',
}

/** Returns true if auth refused the node's name: an immediate retry would be refused again. */
export function isRefusal(code: number): boolean {
  return code === feedClose.replaced || code === feedClose.nameRefused
}

/** A first try that takes 3 seconds at most may take 12 later. */
const maxPatience = 4

interface FeedConnectionOptions {
  url: URL
  credentials: Pick<Credentials, 'token' | 'renew'>
  timing: FeedTiming
  listener: FeedListener
  log: FastifyBaseLogger
  dial?: Dial
  /** Called before each try after the first. */
  onReconnecting: () => void
}

/** One dialled WebSocket. */
interface Attempt {
  readonly socket: FeedSocket
  readonly token: string
  readonly liveness: Liveness
  /** Why it failed. */
  problem: string | undefined
}

/** Keeps one WebSocket to auth open: dials again after each loss, until closed. */
export class FeedConnection {
  readonly #options: FeedConnectionOptions
  readonly #backoff: Backoff
  #socket: FeedSocket | undefined
  #retry: NodeJS.Timeout | undefined
  #problem: string | undefined
  #refusal: number | undefined
  /** Factor for the time limits of a try, since auth's Redis may be slow. */
  #patience = 1
  /** Why `drop` was called; explains the next close. */
  #dropReason: string | undefined
  #closed = false

  constructor(options: FeedConnectionOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.timing.firstRetryMs, options.timing.maxRetryMs)
  }

  /** Why the last try failed. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The close code with which auth refused the node's name; undefined once auth accepts the name. */
  get refusal(): number | undefined {
    return this.#refusal
  }

  start(): void {
    void this.#dial()
  }

  send(message: NodeMessage): void {
    // In any other state ws would drop the message; the next hello carries the node's position.
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message))
    }
  }

  /** Cuts the open connection; another follows. */
  drop(reason: string): void {
    this.#dropReason = reason
    this.#socket?.terminate()
  }

  /** Closes within `goodbyeMs`, and does not reconnect. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const socket = this.#socket
    if (socket === undefined) {
      return
    }
    if (socket.readyState !== WebSocket.OPEN) {
      socket.terminate()
      return
    }
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => socket.terminate(), this.#options.timing.goodbyeMs)
      socket.once('close', () => {
        clearTimeout(deadline)
        resolve()
      })
      socket.close(1000)
    })
  }

  async #dial(): Promise<void> {
    let token: string
    try {
      token = await this.#options.credentials.token()
    } catch {
      // The credentials have logged why.
      this.#connectAgain(undefined, this.#backoff.next())
      return
    }
    if (this.#closed) {
      return
    }
    const { url, timing, dial = createDial() } = this.#options
    const socket = dial(url, token, timing.handshakeMs * this.#patience)
    this.#socket = socket
    this.#listen(socket, token)
  }

  /** Attaches every listener in the turn of the dial, so that no event of the socket is missed. */
  #listen(socket: FeedSocket, token: string): void {
    const { listener, timing } = this.#options
    const fail = (problem: string): void => {
      attempt.problem = problem
      socket.terminate()
    }
    const liveness = new Liveness({
      socket,
      welcomeMs: timing.welcomeMs * this.#patience,
      pingMs: timing.pingMs,
      onDead: fail,
    })
    const attempt: Attempt = { socket, token, liveness, problem: undefined }
    socket.on('open', () => {
      liveness.opened()
      listener.opened()
    })
    socket.on('message', (data, binary) => this.#received(attempt, data, binary))
    socket.on('pong', () => liveness.heard())
    socket.on('ping', () => liveness.heard())
    socket.on('error', (error) => {
      attempt.problem ??= messageOf(error)
    })
    socket.on('unexpected-response', (_request, response) => {
      fail(`auth answers ${response.statusCode} to /v1/feed`)
      if (response.statusCode === 401) {
        this.#renewToken(token)
      }
    })
    socket.on('close', (code) => this.#ended(attempt, code))
  }

  #received(attempt: Attempt, data: RawData, binary: boolean): void {
    const { socket, liveness } = attempt
    const { listener, log } = this.#options
    liveness.heard()
    // A dropped socket still delivers what it has buffered.
    if (this.#socket !== socket || socket.readyState !== WebSocket.OPEN) {
      return
    }
    try {
      if (binary) {
        throw new FeedGarbage('a binary message')
      }
      if (!listener.received(data.toString())) {
        return
      }
      this.#backoff.reset()
      this.#problem = undefined
      this.#refusal = undefined
      this.#patience = 1
      liveness.startPings()
    } catch (error) {
      if (!(error instanceof FeedGarbage)) {
        log.error({ err: error }, 'gate: the feed failed')
      }
      attempt.problem = `auth sent garbage on the feed: ${messageOf(error)}`
      socket.terminate()
    }
  }

  #ended({ socket, token, liveness, problem }: Attempt, code: number): void {
    liveness.stop()
    if (this.#socket === socket) {
      this.#socket = undefined
    }
    const reason = problem ?? this.#dropReason
    this.#dropReason = undefined
    if (!liveness.welcomed) {
      this.#patience = Math.min(this.#patience * 2, maxPatience)
    }
    this.#options.listener.lost(code)
    if (isRefusal(code)) {
      this.#refused(code)
      return
    }
    let waitMs = this.#backoff.next()
    if (code === feedClose.unauthorized) {
      this.#renewToken(token)
      // A token expires in normal operation, and its successor has been fetched by then.
      if (liveness.welcomed) {
        waitMs = 0
      }
    }
    this.#connectAgain(meanings[code] ?? reason ?? `auth closed the feed (${code})`, waitMs)
  }

  /** Fetches another token; the credentials retry by themselves when this fails. */
  #renewToken(refused: string): void {
    this.#options.credentials.renew(refused).catch(() => undefined)
  }

  /** Connects again, rarely: the other process may end, or this identity may be given the name. */
  #refused(code: number): void {
    if (this.#closed) {
      return
    }
    if (code !== this.#refusal) {
      this.#options.log.error(`gate: ${meanings[code]}`)
    }
    this.#refusal = code
    this.#problem = meanings[code]
    this.#schedule(spread(this.#options.timing.refusedRetryMs))
  }

  #connectAgain(problem: string | undefined, waitMs: number): void {
    if (this.#closed) {
      return
    }
    // The refusal stays the problem to report until auth accepts the name.
    if (this.#refusal !== undefined) {
      this.#schedule(this.#options.timing.refusedRetryMs)
      return
    }
    if (problem !== undefined && problem !== this.#problem) {
      this.#options.log.warn(`gate: ${problem}; connecting again`)
    }
    this.#problem = problem ?? this.#problem
    this.#schedule(waitMs)
  }

  #schedule(waitMs: number): void {
    this.#options.onReconnecting()
    this.#retry = setTimeout(() => void this.#dial(), waitMs)
    this.#retry.unref()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
