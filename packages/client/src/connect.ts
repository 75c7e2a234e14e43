import { closeCodes } from '@portcullis/contracts/websocket'
import {
  Centrifuge,
  disconnectedCodes,
  errorCodes,
  type Options,
  State,
  UnauthorizedError,
} from 'centrifuge'
import { ConnectionTokens } from './connection-tokens.js'
import { type Dial, dialInBrowser, requireWebSocket } from './dial.js'
import { TokenError } from './errors.js'
import { isBrowser } from './is-browser.js'
import { OriginCheck } from './origin-check.js'
import { invalidToken, type SignedOut, signedOutByClose, signedOutByError } from './signed-out.js'
import type { TokenSource } from './token-source.js'

/** Options of centrifuge-js, without those that `connect` sets. */
export interface ConnectOptions extends Partial<Omit<Options, 'token' | 'getToken' | 'websocket'>> {
  tokens: TokenSource
  /**
   * Default: `dialWithSubprotocol(WebSocket)`. In Node: `dialWithHeader` of
   * `@portcullis/client/node`.
   */
  dial?: Dial
  /**
   * Connects at once. Default: true in a browser, and with `dial`. Otherwise false, so that a page
   * that is rendered on a server does not connect there; `connect()` of the client does.
   */
  autoConnect?: boolean
  /**
   * Called when the server or the token endpoint has ended the user's session for good: once, and
   * again only if the application calls `connect()` of the client and the new session ends too.
   */
  onSignedOut?: (signedOut: SignedOut) => void
}

/** The part of a centrifuge-js client that `connect` uses. */
export interface Client {
  readonly state: string
  on(
    event: 'connecting' | 'disconnected',
    listener: (context: { code: number; reason: string }) => void,
  ): unknown
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
  invalidToken,
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
 * After every other failure the client reconnects, as centrifuge-js does. `onSignedOut` is called when
 * the client stops because the user's session has ended.
 *
 * @throws TypeError when it is to connect at once and there is neither `dial` nor a global WebSocket
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
    dial = dialInBrowser,
    autoConnect = isBrowser() || dial !== dialInBrowser,
    onSignedOut,
    build = { Centrifuge, UnauthorizedError },
    ...options
  }: ConnectOptions & { build?: ClientBuild<Client> },
): Client {
  const own = new ConnectionTokens(tokens)
  const origin = new OriginCheck()
  let tokenError: TokenError | undefined
  const websocket = socketClass(dial, own, {
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
    onOpened: () => origin.opened(),
    async onUnopened(endpoint) {
      const refusal = await origin.failed(endpoint)
      if (refusal !== undefined && centrifuge.state === State.Connecting) {
        report('upgrade', 403, refusal)
        centrifuge.disconnect()
      }
    },
  })
  const centrifuge = new build.Centrifuge(url, { ...options, getToken, websocket })

  async function getToken(): Promise<string> {
    try {
      return await own.next(centrifuge.state === State.Connected)
    } catch (error) {
      if (!(error instanceof TokenError) || !error.terminal) {
        throw error
      }
      tokenError = error
      report('token', errorCodes.clientConnectToken, `${error.code}: ${error.message}`)
      throw new build.UnauthorizedError(error.code)
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
  centrifuge.on('disconnected', ({ code, reason }) => {
    const ended =
      code === disconnectedCodes.unauthorized && tokenError !== undefined
        ? signedOutByError(tokenError)
        : signedOutByClose(code, reason)
    if (ended !== undefined) {
      onSignedOut?.(ended)
    }
  })
  centrifuge.on('error', ({ error }) => {
    if (error.code === tokenExpired) {
      own.refuse()
    }
  })
  if (autoConnect) {
    if (dial === dialInBrowser) {
      requireWebSocket()
    }
    centrifuge.connect()
  }
  return centrifuge
}

interface DialEvents {
  onDial(): void
  onRefused(token: string, status: number): void
  onOpened(): void
  /** A dial failed, and the reason is unknown. */
  onUnopened(endpoint: string): Promise<void>
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
          void events.onUnopened(endpoint)
        }
      })
      // biome-ignore lint/correctness/noConstructorReturn: see above
      return socket
    }
  }
}
