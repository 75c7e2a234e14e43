import { isUtf8 } from 'node:buffer'
import { JsonText } from '../json/json-text.js'

/**
 * The data of a publication, or of a call to the application: JSON, or other bytes, which only the
 * Protobuf form of the protocol can carry. Both arrive unchanged.
 */
export type Data = JsonText | Buffer

/** Returns JSON when the bytes are exactly the text of a JsonText; otherwise the bytes. */
export function dataOfBytes(bytes: Uint8Array): Data {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const json = jsonOfBytes(buffer)
  return json !== undefined && Buffer.byteLength(json.text) === buffer.length && !hasBreak(buffer)
    ? json
    : buffer
}

/** Returns the data for subscribers of the Protobuf form: the published bytes. */
export function bytesOfData(data: Data): Buffer {
  return data instanceof JsonText ? Buffer.from(data.text) : data
}

/** Returns the data for subscribers of the JSON form: JSON, or the base64 of bytes that are no JSON. */
export function jsonOfData(data: Data): JsonText {
  return data instanceof JsonText
    ? data
    : (jsonOfBytes(data) ?? JsonText.of(data.toString('base64')))
}

/** Returns the JSON in bytes; undefined when they are no UTF-8, or no JSON that JsonText can hold. */
export function jsonOfBytes(bytes: Buffer): JsonText | undefined {
  return isUtf8(bytes) ? JsonText.read(bytes.toString()) : undefined
}

function hasBreak(bytes: Buffer): boolean {
  return bytes.includes(0x0a) || bytes.includes(0x0d)
}
