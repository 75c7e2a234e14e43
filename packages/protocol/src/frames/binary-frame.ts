import { finalBinary, serverFrame } from './server-frame.js'

/** A whole WebSocket binary frame of a server, as `textFrame` is one of text. */
export function binaryFrame(payload: Buffer): Buffer {
  return serverFrame(finalBinary, payload)
}
