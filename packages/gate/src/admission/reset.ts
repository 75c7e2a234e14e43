import { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * Ends a connection with a TCP reset, so that the kernel drops the bytes it holds for the peer. After a
 * plain `destroy` the kernel continues to send them (up to 4 MB with Linux defaults), and a slow peer may
 * read them minutes later. Destroys a socket that cannot be reset, such as a Unix socket.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) {
    return
  }
  const tcp = tcpSocketOf(socket)
  if (isShuttingDown(socket)) {
    // libuv does not reset a socket during a shutdown, and Node would leak the descriptor. A TCP shutdown
    // takes one turn of the event loop; a TLS shutdown waits for a slow peer.
    if (tcp === undefined) {
      socket.once('finish', () => reset(socket))
    } else {
      socket.destroy()
    }
    return
  }
  try {
    ;(tcp ?? socket).resetAndDestroy()
  } catch {
    // Not a TCP socket.
  }
  // For TLS, before its pending writes fail and emit an error.
  socket.destroy()
}

/** Resets the connection of a WebSocket. The close code is 1006. */
export function resetWebSocket(socket: WebSocket, raw: Socket): void {
  reset(raw)
  // The connection has ended already; this makes ws accept no further data.
  if (raw.destroyed) {
    socket.terminate()
  }
}

/** Returns the TCP socket below a TLS socket: only it can be reset, and Node has no public name for it. */
function tcpSocketOf(socket: Socket): Socket | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) {
    return undefined
  }
  const below: unknown = Reflect.get(handle, '_parentWrap')
  return below instanceof Socket ? below : undefined
}

/** Returns true while the kernel has all data but not yet the end of the stream. */
function isShuttingDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
}
