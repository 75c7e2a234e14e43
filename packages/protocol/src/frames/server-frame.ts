/** The first byte of a final frame (RFC 6455 §5.2). */
export const finalText = 0x81
export const finalBinary = 0x82

/** Returns a whole WebSocket frame of a server: unmasked and uncompressed. */
export function serverFrame(first: number, payload: string | Buffer): Buffer {
  const length = Buffer.byteLength(payload)
  const frame = Buffer.allocUnsafe(headerLength(length) + length)
  let offset = 2
  frame[0] = first
  if (length < 126) {
    frame[1] = length
  } else if (length < 65_536) {
    frame[1] = 126
    offset = frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    offset = frame.writeBigUInt64BE(BigInt(length), 2)
  }
  if (typeof payload === 'string') {
    frame.write(payload, offset)
  } else {
    payload.copy(frame, offset)
  }
  return frame
}

function headerLength(length: number): number {
  if (length < 126) {
    return 2
  }
  return length < 65_536 ? 4 : 10
}
