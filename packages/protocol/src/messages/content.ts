import { isUtf8 } from 'node:buffer'

/**
 * The data of a publication: a value in the JSON form of the protocol, bytes in the Protobuf form.
 * `data` holds every value, and bytes that are exactly that value's JSON; `b64` holds all other bytes.
 */
export type Content = { data: unknown } | { b64: string }

/** Returns the content of published bytes: `data` when the value's JSON has the same bytes. */
export function contentOfBytes(bytes: Uint8Array): Content {
  const buffer = asBuffer(bytes)
  const json = parseCompact(buffer)
  return json === undefined || json.text !== buffer.toString()
    ? { b64: buffer.toString('base64') }
    : { data: json.value }
}

/** Returns the value of bytes that are JSON; undefined for other bytes. */
export function valueOfBytes(bytes: Uint8Array): { value: unknown } | undefined {
  return parseCompact(asBuffer(bytes))
}

/** Returns the data for subscribers of the Protobuf form: the published bytes. */
export function bytesOfContent(content: Content): Buffer {
  if ('b64' in content) {
    return Buffer.from(content.b64, 'base64')
  }
  return Buffer.from(stringify(content.data) ?? '')
}

/** Returns the data for subscribers of the JSON form: a value, or the base64 of bytes that are no JSON. */
export function jsonOfContent(content: Content): unknown {
  if ('data' in content) {
    return content.data
  }
  const json = parseCompact(Buffer.from(content.b64, 'base64'))
  return json === undefined ? content.b64 : json.value
}

/** Returns the data for subscribers of the JSON form with deltas: the same value as compact text. */
export function textOfContent(content: Content): string {
  return stringify(jsonOfContent(content)) ?? 'null'
}

/** Returns undefined for a value nested too deep for this stack, although it was written once before. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined
    }
    throw error
  }
}

/** Returns the value of JSON and its compact text; undefined when it is no JSON, or too deep to write. */
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

/** Returns the content of a JSON body with `data`, or base64 in `b64data`, which wins; undefined for neither. */
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
