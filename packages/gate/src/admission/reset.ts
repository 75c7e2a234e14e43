import { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * Ends a connection with a TCP reset: the kernel drops what it still holds for the peer. After a plain
 * `destroy` it goes on sending that, 4 MB with Linux' defaults, to a peer that reads it minutes later.
 * What cannot be reset, such as a Unix socket, is destroyed.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) {
    return
  }
  const secured = securedBy(socket)
  if (isShuttingDown(socket)) {
    // libuv resets no socket during a shutdown, and Node would then leak the descriptor. A shutdown of
    // TCP takes one turn of the event loop; one of TLS waits for a slow peer.
    if (secured === undefined) {
      socket.once('finish', () => reset(socket))
    } else {
      socket.destroy()
    }
    return
  }
  try {
    ;(secured ?? socket).resetAndDestroy()
  } catch {
    // Not TCP.
  }
  // For TLS also before its pending writes fail, which would be an error of the socket.
  socket.destroy()
}

/** Resets the connection of a WebSocket; its close code is 1006. */
export function resetWebSocket(socket: WebSocket, raw: Socket): void {
  reset(raw)
  // So that ws takes nothing more to send; the connection itself has ended.
  if (raw.destroyed) {
    socket.terminate()
  }
}

/** The TCP socket below a TLS socket. Node resets that one alone, and has no public name for it. */
function securedBy(socket: Socket): Socket | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) {
    return undefined
  }
  const below: unknown = Reflect.get(handle, '_parentWrap')
  return below instanceof Socket ? below : undefined
}

/** Everything was handed to the kernel, and the end of the stream is on its way there. */
function isShuttingDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
}
