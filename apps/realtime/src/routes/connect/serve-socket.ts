import type { Connection } from '../../connection/connection.js'
import type { Guest } from '../../connection/lobby.js'

/** The events of a WebSocket (`ws`) that concern a connection. */
interface SocketEvents {
  on(event: 'message', listener: (message: Buffer, isBinary: boolean) => void): unknown
  on(event: 'close', listener: () => void): unknown
}

/** Passes a socket's messages and its end to the connection or the guest. */
export function serveSocket(
  socket: SocketEvents,
  peer: Pick<Connection | Guest, 'receive' | 'left'>,
): void {
  socket.on('message', (message, isBinary) => peer.receive(message, isBinary))
  socket.on('close', () => peer.left())
}
