import { bearerSubprotocolPrefix, subprotocol } from '@portcullis/contracts'

/** What centrifuge-js uses of a WebSocket, and what we watch of it. */
export interface DialedSocket {
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'close', listener: () => void): void
  send(data: string): void
  close(): void
}

/** Called when the server refuses the upgrade, with its HTTP status. */
export type OnRefused = (status: number) => void

/** Opens a WebSocket that carries the token. */
export interface Dial {
  (url: string, token: string, onRefused: OnRefused): DialedSocket
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
 * server selects the other one.
 */
export function dialWithSubprotocol(WebSocketClass: BrowserWebSocket): Dial {
  return Object.assign(
    (url: string, token: string) =>
      new WebSocketClass(url, [subprotocol, `${bearerSubprotocolPrefix}${token}`]),
    { seesRefusals: false },
  )
}
