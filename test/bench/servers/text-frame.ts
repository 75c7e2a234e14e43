/** Returns an unmasked WebSocket text frame (RFC 6455 §5.2) for a text of up to 65,535 bytes. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 0xffff) {
    throw new RangeError('text longer than 65,535 bytes')
  }
  const head =
    payload.length < 126
      ? Buffer.from([0x81, payload.length])
      : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([head, payload])
}
