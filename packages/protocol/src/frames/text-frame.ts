import { finalText, serverFrame } from './server-frame.js'

/**
 * A whole WebSocket text frame of a server (RFC 6455 §5.2): final, unmasked, never compressed.
 * Built once, and then written to any number of sockets.
 */
export function textFrame(payload: string | Buffer): Buffer {
  return serverFrame(finalText, payload)
}
