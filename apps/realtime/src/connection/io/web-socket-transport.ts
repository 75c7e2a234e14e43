import type { Socket } from 'node:net'
import { resetWebSocket } from '@portcullis/gate'
import type { WebSocket } from 'ws'
import type { Transport } from './transport.js'

/**
 * A transport over `ws` and the socket below it. Frames are written past `ws`, ready as they are.
 * Nothing interleaves: with compression off `ws` writes its own frames (pong, close) whole and at
 * once, as we do.
 *
 * @param closeMs - how long the peer may take to answer a close, in milliseconds
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
      // ws has a deadline too; at its end the kernel would go on sending what it has.
      const deadline = setTimeout(destroy, closeMs)
      socket.once('close', () => clearTimeout(deadline))
      socket.close(code, reason)
    },
    destroy,
  }
}
