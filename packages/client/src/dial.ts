import { bearerSubprotocolPrefix, subprotocol } from '@portcullis/contracts/websocket'

/** The part of a WebSocket that centrifuge-js and `connect` use. */
export interface DialedSocket {
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'close', listener: () => void): void
  send(data: string): void
  close(): void
}

/** Called when the server refuses the upgrade, with its HTTP status. */
export type OnRefused = (status: number) => void

/** Opens a WebSocket with the token, and offers the client's subprotocols. */
export interface Dial {
  (url: string, token: string, onRefused: OnRefused, protocols?: readonly string[]): DialedSocket
  /**
   * True if `onRefused` is called for each refused upgrade. Browsers do not report refusals: a
   * socket that closes before it opens may have been refused, or the network may have failed.
   */
  readonly seesRefusals: boolean
}

/** The browser's WebSocket class. */
export type BrowserWebSocket = new (url: string, protocols: string[]) => DialedSocket

/**
 * Returns a dial for browsers, which cannot set headers on a WebSocket: it offers the token as a
 * subprotocol. The server selects another subprotocol, so that the response does not repeat the
 * token.
 */
export function dialWithSubprotocol(WebSocketClass: BrowserWebSocket): Dial {
  return Object.assign(
    (url: string, token: string, _onRefused: OnRefused, protocols: readonly string[] = []) =>
      new WebSocketClass(url, [subprotocol, `${bearerSubprotocolPrefix}${token}`, ...protocols]),
    { seesRefusals: false },
  )
}

/** Dials with the browser's WebSocket class, which it looks up at each dial: a server may have none. */
export const dialInBrowser: Dial = Object.assign(
  (...dial: Parameters<Dial>) => dialWithSubprotocol(requireWebSocket())(...dial),
  { seesRefusals: false },
)

/** Returns the global WebSocket class. @throws TypeError when there is no such class */
export function requireWebSocket(): BrowserWebSocket {
  if (typeof globalThis.WebSocket === 'function') {
    return globalThis.WebSocket
  }
  throw new TypeError(
    'no global WebSocket: pass `dial`, for example dialWithHeader of @portcullis/client/node',
  )
}
