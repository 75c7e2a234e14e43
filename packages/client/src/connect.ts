import { closeCodes } from '@portcullis/contracts/websocket'
import { Centrifuge, errorCodes, type Options, State, UnauthorizedError } from 'centrifuge'
import { ConnectionTokens } from './connection-tokens.js'
import { type BrowserWebSocket, type Dial, dialWithSubprotocol } from './dial.js'
import { TokenError } from './errors.js'
import { refusesOrigin } from './refuses-origin.js'
import type { TokenSource } from './token-source.js'

/** Options of centrifuge-js, without those that `connect` sets. */
export interface ConnectOptions extends Partial<Omit<Options, 'token' | 'getToken' | 'websocket'>> {
  tokens: TokenSource
  /**
   * Default: `dialWithSubprotocol(WebSocket)`. In Node: `dialWithHeader` of
   * `@portcullis/client/node`.
   */
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

/**
 * Connects the official client to a realtime node, with tokens from `tokens`. The client asks the
 * source at each dial, so it never dials with a token that has expired or was refused.
 *
 * The client stops, in state `disconnected`, when
 * - the source throws a terminal error: an `error` event of type `token`, then `disconnected` with
 *   code 1; `tokens.ended.code` has the reason;
 * - the server closes with a terminal code: `disconnected` with that code, 4500 for a revoked
 *   token;
 * - the server refuses the upgrade with 403 (a browser reports this only for the origin of the page):
 *   an `error` event of type `upgrade` with code 403, then `disconnected` with code 0.
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
  const own = new ConnectionTokens(tokens)
  const websocket = socketClass(open, own, {
    // The upgrade carries the token, so keep it out of the connect frame, where it could leak.
    onDial: () => centrifuge.setToken(''),
    onRefused(token, status) {
      if (status === 401) {
        own.refuse(token)
      }
      report('upgrade', status, `the server refused the upgrade with HTTP ${status}`)
      // The source's next token would have the same scopes, and the dial the same origin.
      if (status === 403) {
        centrifuge.disconnect()
      }
    },
    onOpened() {
      originIsKnown = false
    },
    onUnopened: (endpoint) => void checkOrigin(endpoint),
  })
  const centrifuge = new build.Centrifuge(url, { ...options, getToken, websocket })

  async function getToken(): Promise<string> {
    try {
      return await own.next(centrifuge.state === State.Connected)
    } catch (error) {
      if (!(error instanceof TokenError) || !error.terminal) {
        throw error
      }
      report('token', errorCodes.clientConnectToken, `${error.code}: ${error.message}`)
      throw new build.UnauthorizedError(error.code)
    }
  }

  let originIsKnown = false
  /** After a dial that failed for an unknown reason: stops if the node refuses the page's origin. */
  async function checkOrigin(endpoint: string): Promise<void> {
    if (originIsKnown) {
      return
    }
    originIsKnown = true
    const isRefused = await refusesOrigin(endpoint)
    originIsKnown = isRefused !== undefined
    if (isRefused && centrifuge.state === State.Connecting) {
      report(
        'upgrade',
        403,
        'the node refuses connections from the origin of this page; add it to ALLOWED_ORIGINS of the node',
      )
      centrifuge.disconnect()
    }
  }

  function onClosed({ code }: { code: number }): void {
    if (tokenEndingCodes.has(code)) {
      own.refuse()
    }
    // centrifuge-js asks for a token only when it has none, so remove its token before each dial.
    centrifuge.setToken('')
  }

  function report(type: 'token' | 'upgrade', code: number, message: string): void {
    centrifuge.emit('error', { type, error: { code, message } })
  }

  centrifuge.on('connecting', onClosed)
  centrifuge.on('disconnected', onClosed)
  centrifuge.on('error', ({ error }) => {
    if (error.code === tokenExpired) {
      own.refuse()
    }
  })
  centrifuge.connect()
  return centrifuge
}

interface DialEvents {
  onDial(): void
  onRefused(token: string, status: number): void
  onOpened(): void
  /** A dial failed, and the reason is unknown. */
  onUnopened(endpoint: string): void
}

/**
 * Returns a class whose constructor returns the dialed socket: centrifuge-js accepts only a class.
 */
function socketClass(open: Dial, tokens: ConnectionTokens, events: DialEvents) {
  return class {
    constructor(endpoint: string, protocols: string | string[] = []) {
      const token = tokens.dial()
      events.onDial()
      let opened = false
      const socket = open(
        endpoint,
        token,
        (status) => events.onRefused(token, status),
        [protocols].flat(),
      )
      socket.addEventListener('open', () => {
        opened = true
        tokens.opened()
        events.onOpened()
      })
      socket.addEventListener('close', () => {
        if (!opened && !open.seesRefusals) {
          tokens.failed(token)
          events.onUnopened(endpoint)
        }
      })
      // biome-ignore lint/correctness/noConstructorReturn: see above
      return socket
    }
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
