import { closeCodes } from '@portcullis/contracts/websocket'
import { Centrifuge, errorCodes, type Options, State, UnauthorizedError } from 'centrifuge'
import { type BrowserWebSocket, type Dial, dialWithSubprotocol } from './dial.js'
import { TokenError } from './errors.js'
import type { TokenSource } from './token-source.js'

/** Options of centrifuge-js, save those that we set. */
export interface ConnectOptions extends Partial<Omit<Options, 'token' | 'getToken' | 'websocket'>> {
  tokens: TokenSource
  /** Default: `dialWithSubprotocol(WebSocket)`. In Node: `dialWithHeader` of `@portcullis/client/node`. */
  dial?: Dial
}

/** What we use of a client. */
export interface Client {
  readonly state: string
  on(event: 'connecting' | 'disconnected', listener: (context: { code: number }) => void): unknown
  on(event: 'error', listener: (context: { error: { code: number } }) => void): unknown
  emit(event: 'error', context: { type: string; error: { code: number; message: string } }): unknown
  setToken(token: string): void
  connect(): void
  disconnect(): void
}

/**
 * A build of centrifuge-js: `import * as build from 'centrifuge/build/protobuf'` is the one that speaks
 * Protobuf. Each has its own classes.
 */
export interface ClientBuild<Built extends Client> {
  Centrifuge: new (url: string, options: Partial<Options>) => Built
  UnauthorizedError: new (message: string) => Error
}

/** Closes after which the token that the connection stood on is of no use to any other. */
const endsToken: ReadonlySet<number> = new Set([
  closeCodes.tokenRevoked.code,
  /** The client protocol's "connection expired". */
  3005,
  /** The client protocol's "invalid token". */
  3500,
])

/** The client protocol's error "token expired". */
const tokenExpired = 109

/** After a dial that may have been refused, a token this old is replaced. */
const doubtAfterMs = 30_000

/**
 * The official client, connecting to a realtime node with tokens of `tokens`. It asks the source on
 * each dial, so no dial uses a token that has ended or was refused.
 *
 * It stops for good, in state `disconnected`, when
 * - the source gives a terminal answer: an `error` event of type `token`, then `disconnected` with
 *   code 1; `tokens.ended.code` has the reason;
 * - the server closes with a terminal code: `disconnected` with that code, 4500 when the token was revoked;
 * - the upgrade is answered with 403 (seen in Node alone): an `error` event of type `upgrade` with
 *   code 403, then `disconnected` with code 0.
 *
 * Everything else it retries, as centrifuge-js does.
 */
export function connect<Built extends Client>(
  url: string,
  options: ConnectOptions & { build: ClientBuild<Built> },
): Built
export function connect(url: string, options: ConnectOptions): Centrifuge
export function connect(
  url: string,
  {
    tokens,
    dial,
    build = { Centrifuge, UnauthorizedError },
    ...options
  }: ConnectOptions & { build?: ClientBuild<Client> },
): Client {
  const open = dial ?? dialWithSubprotocol(browserWebSocket())
  /** The token of the newest dial or refresh, and one that must not be used again. */
  let inUse: string | undefined
  let refused: string | undefined
  let unopened = 0
  let firstDialedAt = 0

  const centrifuge = new build.Centrifuge(url, { ...options, getToken, websocket: socketClass() })
  // centrifuge-js asks for a token only when it holds none: it must hold none at each dial.
  centrifuge.on('connecting', ({ code }) => {
    if (endsToken.has(code)) {
      refused = inUse
    }
    centrifuge.setToken('')
  })
  centrifuge.on('disconnected', ({ code }) => {
    if (endsToken.has(code)) {
      refused = inUse
    }
    centrifuge.setToken('')
  })
  centrifuge.on('error', ({ error }) => {
    if (error.code === tokenExpired) {
      refused = inUse
    }
  })
  centrifuge.connect()
  return centrifuge

  async function getToken(): Promise<string> {
    // Connected: the server has announced this token's end, and a refresh needs a later one.
    const otherThan = centrifuge.state === State.Connected ? inUse : refused
    try {
      const token = await tokens.get({ otherThan })
      if (token !== inUse) {
        firstDialedAt = 0
      }
      inUse = token
      return token
    } catch (error) {
      if (!(error instanceof TokenError) || !error.terminal) {
        throw error
      }
      report('token', errorCodes.clientConnectToken, `${error.code}: ${error.message}`)
      throw new build.UnauthorizedError(error.code)
    }
  }

  /** centrifuge-js calls `new` on what it is given; a constructor may return another object. */
  function socketClass() {
    return class {
      constructor(endpoint: string, protocols: string | string[] = []) {
        const token = inUse ?? ''
        // The token is on the upgrade; in the connect frame it would be one more place to leak from.
        centrifuge.setToken('')
        firstDialedAt ||= Date.now()
        let opened = false
        const socket = open(
          endpoint,
          token,
          (status) => onRefused(token, status),
          [protocols].flat(),
        )
        socket.addEventListener('open', () => {
          opened = true
          unopened = 0
        })
        socket.addEventListener('close', () => {
          if (!opened && !open.seesRefusals) {
            onDoubt(token)
          }
        })
        // biome-ignore lint/correctness/noConstructorReturn: see above
        return socket
      }
    }
  }

  function onRefused(token: string, status: number): void {
    if (status === 401) {
      refused = token
    }
    report('upgrade', status, `the server refused the upgrade with HTTP ${status}`)
    // Another token of the same source would have the same scopes and come from the same origin.
    if (status === 403) {
      centrifuge.disconnect()
    }
  }

  /**
   * It may have been refused, or the node may be down. The first time a fresh token is cheap; while
   * it lasts, auth is not asked at each of everyone's dials.
   */
  function onDoubt(token: string): void {
    unopened += 1
    if (unopened === 1 || Date.now() - firstDialedAt >= doubtAfterMs) {
      refused = token
    }
  }

  function report(type: 'token' | 'upgrade', code: number, message: string): void {
    centrifuge.emit('error', { type, error: { code, message } })
  }
}

function browserWebSocket(): BrowserWebSocket {
  if (typeof globalThis.WebSocket === 'function') {
    return globalThis.WebSocket
  }
  throw new TypeError('there is no global WebSocket: pass `dial` (@portcullis/client/node has one)')
}
