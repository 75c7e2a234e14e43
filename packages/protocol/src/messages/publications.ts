import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { jsonOfContent, textOfContent } from './content.js'

const closed = { additionalProperties: false }

/** Who is behind a connection: the token's subject, and the connection's id. */
export const ClientInfo = Type.Object({ user: Type.String(), client: Type.String() }, closed)
export type ClientInfo = Static<typeof ClientInfo>

const about = {
  info: Type.Optional(ClientInfo),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
}

/**
 * One message in a channel: `data` is any JSON, `b64` the base64 of bytes that no JSON can stand for
 * (see `Content`). `info` is there when a client has published it.
 */
export const Publication = Type.Union([
  Type.Object({ data: Type.Unknown(), ...about }, closed),
  Type.Object({ b64: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }), ...about }, closed),
])
export type Publication = Static<typeof Publication>

/** A publication in a channel that has a history: `offset` counts them, from 1. */
export type StreamPublication = Publication & { offset: number }

/** A publication as subscribers of the JSON form get it; `jsonPublication` makes it. */
export const JsonPublication = Type.Object({
  data: Type.Unknown(),
  offset: Type.Optional(Type.Integer()),
  ...about,
  /** `data` is the difference to the publication before. */
  delta: Type.Optional(Type.Literal(true)),
})

/** What stands in for a publication's data: all of it, or the difference to the one before. */
export interface Payload {
  bytes: Buffer
  isDelta: boolean
}

const publication = TypeCompiler.Compile(Publication)
const lineFeed = 0x0a

/**
 * A publication as nodes pass it on and as history keeps it: one line of JSON.
 *
 * @throws RangeError when `data` is nested too deep to be written
 */
export function encodePublication(pub: Publication): Buffer {
  return Buffer.from(JSON.stringify(pub))
}

/**
 * Reads what `encodePublication` has written. Undefined for bytes from elsewhere that cannot be passed
 * on: of another shape, not valid UTF-8 (RFC 6455 §8.1), or on several lines, which separate messages.
 */
export function decodePublication(bytes: Buffer): Publication | undefined {
  if (bytes.includes(lineFeed) || !isUtf8(bytes)) {
    return undefined
  }
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return publication.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

const b64Key = Buffer.from('"b64":')
const afterChannel = Buffer.from(',"pub":')
const afterPublication = Buffer.from('}}')

/**
 * The push that brings an encoded publication to subscribers, made from its bytes as they are, once
 * for all of them. `encoded` is one that `decodePublication` has accepted.
 */
export function encodePublicationPush(channel: string, encoded: Buffer, offset?: number): Buffer {
  const pub = encoded.includes(b64Key) ? withData(encoded) : encoded
  const head = Buffer.from(`{"push":{"channel":${JSON.stringify(channel)}`)
  if (offset === undefined) {
    return Buffer.concat([head, afterChannel, pub, afterPublication])
  }
  // The object's last brace makes room for one more member; it has one at least.
  const members = pub.subarray(0, pub.lastIndexOf('}'))
  return Buffer.concat([
    head,
    afterChannel,
    members,
    Buffer.from(`,"offset":${offset}}`),
    afterPublication,
  ])
}

/** JSON subscribers know `data` alone. The key may also have been a word in the data. */
function withData(encoded: Buffer): Buffer {
  const pub = decodePublication(encoded)
  return pub === undefined || 'data' in pub ? encoded : encodePublication(jsonPublication(pub))
}

/** A publication as subscribers of the JSON form get it who have asked for deltas: its data as JSON text. */
export function textPublication(pub: Publication): object {
  const { data, ...rest } = jsonPublication(pub)
  return { data: textOfContent({ data }), ...rest }
}

/**
 * The push of a publication to subscribers of the JSON form who have asked for deltas. `payload` is the
 * text of its data, or what makes it out of the text of the one before.
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

/** A publication as subscribers of the JSON form get it. */
export function jsonPublication(pub: Publication): Publication & { data: unknown } {
  if ('data' in pub) {
    return pub
  }
  const { b64, ...rest } = pub
  return { data: jsonOfContent({ b64 }), ...rest }
}
