import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Transport } from './transport.js'

/**
 * A transport over `ws` and the socket below it. Frames are written past `ws`, ready as they are.
 * Nothing interleaves: with compression off `ws` writes its own frames (pong, close) whole and at
 * once, as we do.
 */
export function webSocketTransport(socket: WebSocket, raw: Socket): Transport {
  return {
    write(frames) {
      if (socket.readyState !== socket.OPEN || !raw.writable) return
      const [first] = frames
      if (first !== undefined && frames.length === 1) {
        raw.write(first)
        return
      }
      raw.cork()
      for (const frame of frames) raw.write(frame)
      raw.uncork()
    },
    backlog: () => raw.writableLength,
    setReading: (reading) => (reading ? socket.resume() : socket.pause()),
    close: (code, reason) => socket.close(code, reason),
    destroy: () => socket.terminate(),
  }
}
