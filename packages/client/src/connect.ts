import { closeCodes } from '@portcullis/contracts/websocket'
import { Centrifuge, errorCodes, type Options, State, UnauthorizedError } from 'centrifuge'
import { type BrowserWebSocket, type Dial, dialWithSubprotocol } from './dial.js'
import { TokenError } from './errors.js'
import type { TokenSource } from './token-source.js'

/** Options of centrifuge-js, without those that `connect` sets. */
export interface ConnectOptions extends Partial<Omit<Options, 'token' | 'getToken' | 'websocket'>> {
  tokens: TokenSource
  /** Default: `dialWithSubprotocol(WebSocket)`. In Node: `dialWithHeader` of `@portcullis/client/node`. */
  dial?: Dial
}

/** The part of a centrifuge-js client that `connect` uses. */
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
 * A build of centrifuge-js, each with its own classes. `import * as build from
 * 'centrifuge/build/protobuf'` speaks Protobuf.
 */
export interface ClientBuild<Built extends Client> {
  Centrifuge: new (url: string, options: Partial<Options>) => Built
  UnauthorizedError: new (message: string) => Error
}

/** Close codes after which the connection's token cannot be used again. */
const tokenEndingCodes: ReadonlySet<number> = new Set([
  closeCodes.tokenRevoked.code,
  // The client protocol's "connection expired".
  3005,
  // The client protocol's "invalid token".
  3500,
])

/** The client protocol's error "token expired". */
const tokenExpired = 109

/** A token in use for this long is replaced after a dial that failed for an unknown reason. */
const suspectAfterMs = 30_000

/**
 * Connects the official client to a realtime node, with tokens from `tokens`. The client asks the source
 * at each dial, so it never dials with a token that has expired or was refused.
 *
 * The client stops, in state `disconnected`, when
 * - the source throws a terminal error: an `error` event of type `token`, then `disconnected` with code
 *   1; `tokens.ended.code` has the reason;
 * - the server closes with a terminal code: `disconnected` with that code, 4500 for a revoked token;
 * - the server refuses the upgrade with 403 (browsers do not report this): an `error` event of type
 *   `upgrade` with code 403, then `disconnected` with code 0.
 *
 * After every other failure the client reconnects, as centrifuge-js does.
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
  /** The token of the newest dial or refresh. */
  let inUse: string | undefined
  /** A token that must not be used again. */
  let refused: string | undefined
  /** Dials since the last socket that opened. */
  let unopened = 0
  /** When the first dial used the current token. */
  let firstDialedAt = 0

  const centrifuge = new build.Centrifuge(url, { ...options, getToken, websocket: socketClass() })
  // centrifuge-js asks for a token only when it has none, so remove its token before each dial.
  centrifuge.on('connecting', ({ code }) => {
    if (tokenEndingCodes.has(code)) {
      refused = inUse
    }
    centrifuge.setToken('')
  })
  centrifuge.on('disconnected', ({ code }) => {
    if (tokenEndingCodes.has(code)) {
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
    // While connected, this is a refresh, which needs another token than the one that expires.
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

  /** Returns a class whose constructor returns the dialed socket: centrifuge-js accepts only a class. */
  function socketClass() {
    return class {
      constructor(endpoint: string, protocols: string | string[] = []) {
        const token = inUse ?? ''
        // The upgrade carries the token, so keep it out of the connect frame, where it could leak.
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
            onUnknownFailure(token)
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
    // The source's next token would have the same scopes, and the dial the same origin.
    if (status === 403) {
      centrifuge.disconnect()
    }
  }

  /**
   * The token may have been refused, or the node may be down. Replaces the token after the first failure,
   * and then at most every `suspectAfterMs`, or all clients of a node that is down would ask auth at
   * each dial.
   */
  function onUnknownFailure(token: string): void {
    unopened += 1
    if (unopened === 1 || Date.now() - firstDialedAt >= suspectAfterMs) {
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
  throw new TypeError(
    'no global WebSocket: pass `dial`, for example dialWithHeader of @portcullis/client/node',
  )
}
