import type { SecureContextOptions } from 'node:tls'
import { WebSocket } from 'ws'

/** Larger than any valid message: auth sends long stretches of the feed in pieces. */
const maxMessageBytes = 8 * 1024 * 1024

/** The part of a WebSocket that the feed uses. */
export type FeedSocket = Pick<
  WebSocket,
  'readyState' | 'send' | 'ping' | 'close' | 'terminate' | 'on' | 'once'
>

/** Opens a connection to auth with the gate's own token. */
export type Dial = (url: URL, token: string, handshakeMs: number) => FeedSocket

/** Returns a function that dials WebSockets. For `wss://`, `tls` has the trusted CA and the client certificate. */
export function createDial(tls?: SecureContextOptions): Dial {
  return (url, token, handshakeTimeout) =>
    new WebSocket(url, {
      ...tls,
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
    })
}
