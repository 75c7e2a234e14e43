import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const closed = { additionalProperties: false }

/** Who published, when it was a client: the token's subject, and the connection's id. */
export const ClientInfo = Type.Object({ user: Type.String(), client: Type.String() }, closed)

/** One message in a channel. `data` is any JSON. */
export const Publication = Type.Object(
  {
    data: Type.Unknown(),
    info: Type.Optional(ClientInfo),
    tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  closed,
)
export type Publication = Static<typeof Publication>

const push = TypeCompiler.Compile(
  Type.Object(
    { push: Type.Object({ channel: Type.String(), pub: Publication }, closed) },
    { additionalProperties: false },
  ),
)

const lineFeed = 0x0a

/**
 * A publication as subscribers get it, once for all of them.
 *
 * @throws RangeError when `data` is nested too deep to be written
 */
export function encodePublication(channel: string, pub: Publication): Buffer {
  return Buffer.from(JSON.stringify({ push: { channel, pub } }))
}

/**
 * Whether bytes from elsewhere are a publication in `channel` that can be passed on as they are:
 * of that shape, valid UTF-8 (RFC 6455 §8.1), and on one line, since lines separate messages.
 */
export function isPublication(channel: string, bytes: Buffer): boolean {
  if (bytes.includes(lineFeed) || !isUtf8(bytes)) return false
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return push.Check(value) && value.push.channel === channel
  } catch {
    return false
  }
}
