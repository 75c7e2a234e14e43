import type { FastifyBaseLogger } from 'fastify'
import type { Connection } from '../../connection/connection.js'
import type { WebSocketTransport } from '../../connection/io/web-socket-transport.js'
import type { Guest } from '../../connection/lobby.js'

/** The events of a WebSocket (`ws`) that concern a connection. */
interface SocketEvents {
  on(event: 'message', listener: (message: Buffer, isBinary: boolean) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close', listener: () => void): unknown
  removeAllListeners(event: 'error'): unknown
}

/** Passes a socket's messages and its end to the connection or the guest. */
export function serveSocket(
  socket: SocketEvents,
  transport: Pick<WebSocketTransport, 'failed' | 'closed'>,
  peer: Pick<Connection | Guest, 'receive' | 'left'>,
  log: Pick<FastifyBaseLogger, 'debug'>,
): void {
  // The listener of @fastify/websocket would keep the request for as long as the socket is open.
  socket.removeAllListeners('error')
  socket.on('error', (err) => {
    log.debug({ err }, 'socket')
    transport.failed()
  })
  socket.on('message', (message, isBinary) => peer.receive(message, isBinary))
  socket.on('close', () => {
    transport.closed()
    peer.left()
  })
}
