import type { Dial, DialedSocket } from './dial.js'

/** The part of a WebSocket of the `ws` package that `dialWithHeader` uses. */
export interface HeaderWebSocket extends DialedSocket {
  on(
    event: 'unexpected-response',
    listener: (request: unknown, response: { statusCode?: number | undefined }) => void,
  ): unknown
  terminate(): void
}

/** A WebSocket class that accepts headers: `WebSocket` of the `ws` package. */
export type HeaderWebSocketClass = new (
  url: string,
  protocols: string[],
  options: { headers: Record<string, string> },
) => HeaderWebSocket

/** Returns a dial for Node, which sends the token in the `Authorization` header (RFC 6750 §2.1). */
export function dialWithHeader(WebSocketClass: HeaderWebSocketClass): Dial {
  const dial: (...args: Parameters<Dial>) => DialedSocket = (
    url,
    token,
    onRefused,
    protocols = [],
  ) => {
    const headers = { authorization: `Bearer ${token}` }
    const socket = new WebSocketClass(url, [...protocols], { headers })
    socket.on('unexpected-response', (_request, response) => {
      onRefused(response.statusCode ?? 0)
      // A listener for this event must close the socket itself.
      socket.terminate()
    })
    return socket
  }
  return Object.assign(dial, { seesRefusals: true })
}
