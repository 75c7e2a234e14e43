import type { Socket } from 'node:net'
import { resetWebSocket } from '@portcullis/gate'
import type { WebSocket } from 'ws'
import type { Transport } from './transport.js'

/**
 * Returns a transport over `ws` and the socket below it. Ready frames are written past `ws`. They do not
 * interleave with frames of `ws` (pong, close), which it writes whole and at once while compression is
 * off.
 *
 * @param closeMs - milliseconds that the peer has to answer a close frame
 */
export function webSocketTransport(socket: WebSocket, raw: Socket, closeMs: number): Transport {
  const destroy = () => resetWebSocket(socket, raw)
  return {
    write(frames) {
      if (socket.readyState !== socket.OPEN || !raw.writable) {
        return
      }
      const [first] = frames
      if (first !== undefined && frames.length === 1) {
        raw.write(first)
        return
      }
      raw.cork()
      for (const frame of frames) {
        raw.write(frame)
      }
      raw.uncork()
    },
    backlog: () => raw.writableLength,
    setReading: (reading) => (reading ? socket.resume() : socket.pause()),
    close: (code, reason) => {
      // ws has a deadline too, but after it the kernel would still send its bytes.
      const deadline = setTimeout(destroy, closeMs)
      socket.once('close', () => clearTimeout(deadline))
      socket.close(code, reason)
    },
    destroy,
  }
}
