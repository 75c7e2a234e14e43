import { bearerSubprotocolPrefix, subprotocol } from '@portcullis/contracts/websocket'

/** What centrifuge-js uses of a WebSocket, and what we watch of it. */
export interface DialedSocket {
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'close', listener: () => void): void
  send(data: string): void
  close(): void
}

/** Called when the server refuses the upgrade, with its HTTP status. */
export type OnRefused = (status: number) => void

/** Opens a WebSocket that carries the token, and offers what the client wants to speak. */
export interface Dial {
  (url: string, token: string, onRefused: OnRefused, protocols?: readonly string[]): DialedSocket
  /**
   * Whether `onRefused` tells a refused upgrade from a network that failed. A browser does not: there,
   * each socket that closes before it opened may have been refused.
   */
  readonly seesRefusals: boolean
}

/** A WebSocket class as browsers have it. */
export type BrowserWebSocket = new (url: string, protocols: string[]) => DialedSocket

/**
 * For browsers, which cannot set a header on a WebSocket: the token travels as a subprotocol, and the
 * server selects another one.
 */
export function dialWithSubprotocol(WebSocketClass: BrowserWebSocket): Dial {
  return Object.assign(
    (url: string, token: string, _onRefused: OnRefused, protocols: readonly string[] = []) =>
      new WebSocketClass(url, [subprotocol, `${bearerSubprotocolPrefix}${token}`, ...protocols]),
    { seesRefusals: false },
  )
}
