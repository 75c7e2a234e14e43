import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { JsonText } from '../json/json-text.js'
import { type Data, jsonOfData } from './data.js'

const closed = { additionalProperties: false }

/** The client of a connection: the subject of its token, and the connection's id. */
export const ClientInfo = Type.Object({ user: Type.String(), client: Type.String() }, closed)
export type ClientInfo = Static<typeof ClientInfo>

const about = {
  info: Type.Optional(ClientInfo),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
}

/** A publication as nodes exchange it: JSON in `data`, or other bytes in base64 in `b64`. */
const EncodedPublication = Type.Union([
  Type.Object({ data: Type.Unknown(), ...about }, closed),
  Type.Object({ b64: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }), ...about }, closed),
])
type EncodedPublication = Static<typeof EncodedPublication>

/**
 * One message in a channel. `info` names the client that published it; publications of the server API
 * have none.
 */
export interface Publication {
  data: Data
  info?: ClientInfo
  tags?: Record<string, string>
}

/** A publication in a channel with history. Offsets begin at 1. */
export type StreamPublication = Publication & { offset: number }

/** A publication for subscribers of the JSON form, as `jsonPublication` returns it. */
export const JsonPublication = Type.Object({
  data: Type.Unknown(),
  offset: Type.Optional(Type.Integer()),
  ...about,
  /** `data` is the difference to the previous publication. */
  delta: Type.Optional(Type.Literal(true)),
})

/** The data of a publication in full, or as the difference to the previous one. */
export interface Payload {
  bytes: Buffer
  isDelta: boolean
}

const encodedPublication = TypeCompiler.Compile(EncodedPublication)
const lineFeed = 0x0a

/** Returns a publication as nodes exchange it and as histories store it: one line of JSON. */
export function encodePublication({ data, info, tags }: Publication): Buffer {
  const content =
    data instanceof JsonText ? `"data":${data.text}` : `"b64":"${data.toString('base64')}"`
  return Buffer.from(`{${content}${member('info', info)}${member('tags', tags)}}`)
}

function member(key: string, value: object | undefined): string {
  return value === undefined ? '' : `,"${key}":${JSON.stringify(value)}`
}

/**
 * Returns true for what `encodePublication` returned. Returns false for bytes that must not reach a
 * client: another shape, invalid UTF-8 (RFC 6455 §8.1), or several lines, which would be several
 * messages.
 */
export function isPublication(bytes: Buffer): boolean {
  return parsePublication(bytes) !== undefined
}

/** Returns the publication that `encodePublication` encoded; undefined where `isPublication` is false. */
export function decodePublication(bytes: Buffer): Publication | undefined {
  const parsed = parsePublication(bytes)
  if (parsed === undefined) {
    return undefined
  }
  const { text, value } = parsed
  const { info, tags } = value
  const data = 'b64' in value ? Buffer.from(value.b64, 'base64') : JsonText.member(text, ['data'])
  return (
    data && {
      data,
      ...(info === undefined ? {} : { info }),
      ...(tags === undefined ? {} : { tags }),
    }
  )
}

function parsePublication(bytes: Buffer): { text: string; value: EncodedPublication } | undefined {
  if (bytes.includes(lineFeed) || !isUtf8(bytes)) {
    return undefined
  }
  const text = bytes.toString()
  try {
    const value: unknown = JSON.parse(text)
    return encodedPublication.Check(value) ? { text, value } : undefined
  } catch {
    return undefined
  }
}

const b64Key = Buffer.from('"b64":')

/**
 * Returns the push of an encoded publication, made from its bytes without parsing them. `encoded` must
 * be a publication; see `isPublication`.
 */
export function encodePublicationPush(channel: string, encoded: Buffer, offset?: number): Buffer {
  const pub = encoded.includes(b64Key) ? withData(encoded) : encoded
  const head = `{"push":{"channel":${JSON.stringify(channel)},"pub":`
  // With an offset, one more member replaces the object's last brace. The object has at least one.
  const end = offset === undefined ? pub.length : pub.lastIndexOf('}')
  const tail = offset === undefined ? '}}' : `,"offset":${offset}}}}`
  const push = Buffer.allocUnsafe(Buffer.byteLength(head) + end + tail.length)
  const start = push.write(head)
  pub.copy(push, start, 0, end)
  push.write(tail, start + end, 'latin1')
  return push
}

/** Returns the publication with `data` in place of `b64`. The bytes `"b64":` may also be part of data. */
function withData(encoded: Buffer): Buffer {
  const pub = decodePublication(encoded)
  return pub === undefined || pub.data instanceof JsonText
    ? encoded
    : encodePublication(jsonPublication(pub))
}

/** Returns a publication for subscribers of the JSON form with deltas: its data is JSON text. */
export function textPublication(pub: Publication): object {
  return { ...pub, data: jsonOfData(pub.data).text }
}

/**
 * Returns the push of a publication for subscribers of the JSON form with deltas. `payload` is the text
 * of its data, or the delta that makes this text from the previous publication's.
 */
export function encodePayloadPush(
  channel: string,
  { info, tags }: Publication,
  payload: Payload,
  offset?: number,
): string {
  const { bytes, isDelta } = payload
  const pub = { data: bytes.toString(), info, offset, tags, ...(isDelta ? { delta: true } : {}) }
  return JSON.stringify({ push: { channel, pub } })
}

/** Returns a publication for subscribers of the JSON form. */
export function jsonPublication<Pub extends Publication>(pub: Pub): Pub & { data: JsonText } {
  return { ...pub, data: jsonOfData(pub.data) }
}
