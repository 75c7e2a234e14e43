import type { Socket } from 'node:net'
import { disconnectCodes } from '@portcullis/protocol'
import type { Guest } from '../../connection/lobby.js'

/** More than the lobby accepts in messages, so that its own answer comes first for a whole message. */
const maxBytes = 16_384

/**
 * Cuts off a guest that sends more than a first command before its token is accepted. The lobby sees
 * whole messages only, and `ws` keeps up to MAX_FRAME_BYTES of one that does not end.
 */
export function limitGuest(socket: Socket, guest: Guest, cut: () => void): void {
  const before = socket.bytesRead
  const count = () => {
    if (!guest.waits) {
      socket.off('data', count)
    } else if (socket.bytesRead - before > maxBytes) {
      socket.off('data', count)
      guest.end(disconnectCodes.badRequest)
      cut()
    }
  }
  socket.on('data', count)
}
