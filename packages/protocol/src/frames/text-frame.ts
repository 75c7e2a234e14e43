import { finalText, serverFrame } from './server-frame.js'

/**
 * Returns a whole WebSocket text frame of a server (RFC 6455 §5.2): final, unmasked, uncompressed.
 * One frame can be written to any number of sockets.
 */
export function textFrame(payload: string | Buffer): Buffer {
  return serverFrame(finalText, payload)
}
