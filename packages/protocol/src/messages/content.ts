import { isUtf8 } from 'node:buffer'

/**
 * What a publication carries. In the JSON form of the protocol that is a value, in the Protobuf form
 * bytes; `data` stands for both as long as nothing is lost, and `b64` keeps all other bytes.
 */
export type Content = { data: unknown } | { b64: string }

/** Bytes that a client has published: `data` when writing them as JSON again gives the same bytes. */
export function contentOfBytes(bytes: Uint8Array): Content {
  const buffer = asBuffer(bytes)
  const json = parseCompact(buffer)
  return json === undefined || json.text !== buffer.toString()
    ? { b64: buffer.toString('base64') }
    : { data: json.value }
}

/** The value that bytes spell as JSON, however it is written; undefined when they are no JSON. */
export function valueOfBytes(bytes: Uint8Array): { value: unknown } | undefined {
  return parseCompact(asBuffer(bytes))
}

/** What subscribers of the Protobuf form get: the bytes that were published. */
export function bytesOfContent(content: Content): Buffer {
  if ('b64' in content) {
    return Buffer.from(content.b64, 'base64')
  }
  return Buffer.from(written(content.data) ?? '')
}

/** What subscribers of the JSON form get: a value; for bytes that are no JSON their base64. */
export function jsonOfContent(content: Content): unknown {
  if ('data' in content) {
    return content.data
  }
  const json = parseCompact(Buffer.from(content.b64, 'base64'))
  return json === undefined ? content.b64 : json.value
}

/** What subscribers of the JSON form with deltas get: that value as text, compact. */
export function textOfContent(content: Content): string {
  return written(jsonOfContent(content)) ?? 'null'
}

/** Undefined for what is nested so deep that it could just be written where it came in, and on this stack not. */
function written(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined
    }
    throw error
  }
}

/** The value, and how we would write it. Undefined when it is no JSON, or none that can be written. */
function parseCompact(buffer: Buffer): { value: unknown; text: string } | undefined {
  if (!isUtf8(buffer)) {
    return undefined
  }
  try {
    const value: unknown = JSON.parse(buffer.toString())
    return { value, text: JSON.stringify(value) }
  } catch {
    return undefined
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** What JSON says in `data`, or in base64 in `b64data`, which counts where both are; undefined: nothing. */
export function contentOfJson({
  data,
  b64data = '',
}: {
  data?: unknown
  b64data?: string
}): Content | undefined {
  if (b64data !== '') {
    return contentOfBytes(Buffer.from(b64data, 'base64'))
  }
  return data === undefined ? undefined : { data }
}
