import { finalBinary, serverFrame } from './server-frame.js'

/** Returns a whole binary WebSocket frame of a server; see `textFrame`. */
export function binaryFrame(payload: Buffer): Buffer {
  return serverFrame(finalBinary, payload)
}
