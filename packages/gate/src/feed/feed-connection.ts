import type { SecureContextOptions } from 'node:tls'
import { feedClose, type NodeMessage } from '@portcullis/contracts/feed'
import type { FastifyBaseLogger } from 'fastify'
import { type RawData, WebSocket } from 'ws'
import { Backoff } from '../auth/backoff.js'
import type { Credentials } from '../auth/credentials.js'

/** Milliseconds. */
export interface FeedTiming {
  /** From the dial to the answer of the upgrade; twice, then four times as long after tries in vain. */
  handshakeMs: number
  /** From the upgrade to the welcome; likewise. */
  welcomeMs: number
  /** Auth is pinged this often; it is dead when nothing has come since the ping before. */
  pingMs: number
  firstRetryMs: number
  mostRetryMs: number
  /** After auth has refused the node's name. */
  refusedRetryMs: number
  /** Between renewals of the lease, until auth has said how long it is. */
  renewMs: number
  /** How long to wait for the goodbye, and for the socket to close. */
  goodbyeMs: number
}

/** What the feed does with its connection. Each is called synchronously. */
export interface FeedListener {
  opened(): void
  /** Text of a message; gives whether auth has welcomed us by now. Throws FeedGarbage. */
  received(text: string): boolean
  /** The connection is gone, with a close code; another follows unless the feed is closed. */
  lost(code: number): void
}

/** Auth sent something that its contract does not have. */
export class FeedGarbage extends Error {}

/** What the feed uses of a WebSocket. */
export type FeedSocket = Pick<
  WebSocket,
  'readyState' | 'send' | 'ping' | 'close' | 'terminate' | 'on' | 'once'
>

/** Opens a connection to auth with this token of ours. */
export type Dial = (url: URL, token: string, handshakeMs: number) => FeedSocket

/** What close codes mean to the operator. */
const meanings: Readonly<Record<number, string>> = {
  [feedClose.badMessage]: 'auth does not understand this gate; are both of one version?',
  [feedClose.replaced]:
    'a later process uses this node name; end this one, and give each node a name of its own',
  [feedClose.nameRefused]:
    'this identity may not use this node name, or a node of another identity has it; give this node another name',
}

/** Whether auth has closed the feed for the node's name: trying again at once would change nothing. */
export function isRefusal(code: number): boolean {
  return code === feedClose.replaced || code === feedClose.nameRefused
}

/** With 3 seconds for a first try, 12 for each further one. */
const maxPatience = 4

/** Larger than any true message; auth reads the feed in pieces. */
const maxMessageBytes = 8 * 1024 * 1024

interface FeedConnectionOptions {
  url: URL
  credentials: Pick<Credentials, 'token' | 'renew'>
  timing: FeedTiming
  listener: FeedListener
  log: FastifyBaseLogger
  dial?: Dial
  /** Counts connections after the first try. */
  reconnecting: () => void
}

/** One WebSocket to auth at a time, opened again until closed. */
export class FeedConnection {
  readonly #options: FeedConnectionOptions
  readonly #backoff: Backoff
  #socket: FeedSocket | undefined
  #retry: NodeJS.Timeout | undefined
  #problem: string | undefined
  #refusal: number | undefined
  /** How many times as long as at first a try may take: auth's Redis may be slow. */
  #patience = 1
  /** Why the next close happens, when that is known before. */
  #why: string | undefined
  #closed = false

  constructor(options: FeedConnectionOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.timing.firstRetryMs, options.timing.mostRetryMs)
  }

  /** Why there is no connection, when the last try said so. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The close code with which auth has refused the node's name; undefined once it takes it. */
  get refusal(): number | undefined {
    return this.#refusal
  }

  start(): void {
    void this.#dial()
  }

  send(message: NodeMessage): void {
    // In any other state ws would drop it; the hello of the next connection says where we stand.
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message))
    }
  }

  /** Cuts the connection that is open now; another follows. */
  drop(why: string): void {
    this.#why = why
    this.#socket?.terminate()
  }

  /** Closes for good, within the deadline. */
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
      this.#again(undefined, this.#backoff.next())
      return
    }
    if (this.#closed) {
      return
    }
    const { url, timing, dial = dialWith() } = this.#options
    const socket = dial(url, token, timing.handshakeMs * this.#patience)
    this.#socket = socket
    this.#attend(socket, token)
  }

  /** All listeners in one turn, so no event of the socket goes unheard. */
  #attend(socket: FeedSocket, token: string): void {
    const { listener, timing, log } = this.#options
    let timer: NodeJS.Timeout | undefined
    let alive = true
    let problem: string | undefined

    const received = (data: RawData, binary: boolean): void => {
      alive = true
      // A dropped socket still tells what it had buffered.
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
        if (timer !== undefined && !pinging) {
          ping()
        }
      } catch (error) {
        if (!(error instanceof FeedGarbage)) {
          log.error({ err: error }, 'gate: the feed failed')
        }
        problem = `auth sent garbage on the feed: ${messageOf(error)}`
        socket.terminate()
      }
    }
    let pinging = false
    const ping = (): void => {
      pinging = true
      clearTimeout(timer)
      timer = setInterval(() => {
        if (!alive) {
          problem = 'auth does not answer pings'
          socket.terminate()
          return
        }
        alive = false
        socket.ping()
      }, timing.pingMs)
    }
    socket.on('open', () => {
      timer = setTimeout(() => {
        problem = 'auth does not say welcome'
        socket.terminate()
      }, timing.welcomeMs * this.#patience)
      listener.opened()
    })
    socket.on('message', received)
    socket.on('pong', () => {
      alive = true
    })
    socket.on('ping', () => {
      alive = true
    })
    socket.on('error', (error) => {
      problem ??= messageOf(error)
    })
    socket.on('unexpected-response', (_request, response) => {
      problem = `auth answers ${response.statusCode} to /v1/feed`
      socket.terminate()
      if (response.statusCode === 401) {
        this.#renew(token)
      }
    })
    socket.on('close', (code) => {
      clearTimeout(timer)
      if (this.#socket === socket) {
        this.#socket = undefined
      }
      problem ??= this.#why
      this.#why = undefined
      if (!pinging) {
        this.#patience = Math.min(this.#patience * 2, maxPatience)
      }
      listener.lost(code)
      if (isRefusal(code)) {
        this.#refused(code)
        return
      }
      let wait = this.#backoff.next()
      if (code === feedClose.unauthorized) {
        this.#renew(token)
        // In the course of things a token expires: the next one is there already.
        if (pinging) {
          wait = 0
        }
      }
      this.#again(meanings[code] ?? problem ?? `auth closed the feed (${code})`, wait)
    })
  }

  /** The credentials try again by themselves when this fails. */
  #renew(refused: string): void {
    this.#options.credentials.renew(refused).catch(() => undefined)
  }

  /** Asks again, rarely: the other process may end, or the name be given to this identity. */
  #refused(code: number): void {
    if (this.#closed) {
      return
    }
    if (code !== this.#refusal) {
      this.#options.log.error(`gate: ${meanings[code]}`)
    }
    this.#refusal = code
    this.#problem = meanings[code]
    this.#later(this.#options.timing.refusedRetryMs * (0.75 + Math.random() / 2))
  }

  #again(problem: string | undefined, waitMs: number): void {
    if (this.#closed) {
      return
    }
    // Until auth takes the name nothing else is worth knowing.
    if (this.#refusal !== undefined) {
      this.#later(this.#options.timing.refusedRetryMs)
      return
    }
    if (problem !== undefined && problem !== this.#problem) {
      this.#options.log.warn(`gate: ${problem}; connecting again`)
    }
    this.#problem = problem ?? this.#problem
    this.#later(waitMs)
  }

  #later(waitMs: number): void {
    this.#options.reconnecting()
    this.#retry = setTimeout(() => void this.#dial(), waitMs)
    this.#retry.unref()
  }
}

/** Dials WebSockets; `tls` says whom to trust and what to show, where the URL is `wss://`. */
export function dialWith(tls?: SecureContextOptions): Dial {
  return (url, token, handshakeTimeout) =>
    new WebSocket(url, {
      ...tls,
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
    })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
