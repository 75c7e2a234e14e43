const finalText = 0x81

/**
 * A whole WebSocket text frame of a server (RFC 6455 §5.2): final, unmasked, never compressed.
 * Built once, and then written to any number of sockets.
 */
export function textFrame(payload: string | Buffer): Buffer {
  const length = Buffer.byteLength(payload)
  const frame = Buffer.allocUnsafe(headerLength(length) + length)
  let offset = 2
  frame[0] = finalText
  if (length < 126) {
    frame[1] = length
  } else if (length < 65_536) {
    frame[1] = 126
    offset = frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    offset = frame.writeBigUInt64BE(BigInt(length), 2)
  }
  if (typeof payload === 'string') frame.write(payload, offset)
  else payload.copy(frame, offset)
  return frame
}

function headerLength(length: number): number {
  if (length < 126) return 2
  return length < 65_536 ? 4 : 10
}
