import protobuf from 'protobufjs/light.js'
import type { Command } from '../commands/commands.js'
import { maxCommandsPerFrame } from '../commands/decode-commands.js'
import { readCommand } from '../commands/read-command.js'
import { ProtocolError } from '../errors.js'
import { binaryFrame } from '../frames/binary-frame.js'
import { bytesOfData, dataOfBytes } from '../messages/data.js'
import {
  type ClientInfo,
  decodePublication,
  type Publication,
  type StreamPublication,
} from '../messages/publications.js'
import { type ReplyBody, withPublications } from '../messages/replies.js'
import type { Codec, Encoded } from './codec.js'
import { CommandMessage, ReplyMessage } from './protobuf-messages.js'

/** The Protobuf form: binary frames. Each message follows its length, a varint. */
export const protobufCodec: Codec = {
  binary: true,
  decode,
  reply: (id, body) => encode({ id, ...withPublications(withPresence(body), publicationOf) }),
  dataValue: bytesOfData,
  publicationPush: (channel, encoded, offset) => {
    const publication = decodePublication(encoded)
    const pub = publication === undefined ? {} : publicationOf(publication)
    return encode({ push: { channel, pub: withOffset(pub, offset) } })
  },
  payload: ({ data }) => bytesOfData(data),
  payloadPush: (channel, publication, { bytes, isDelta }, offset) => {
    const pub = { ...about(publication), data: bytes, ...(isDelta ? { delta: true } : {}) }
    return encode({ push: { channel, pub: withOffset(pub, offset) } })
  },
  presencePush: (channel, kind, info) =>
    encode({ push: { channel, [kind]: { info: infoOf(info) } } }),
  subscribePush: (channel, subscribed) => encode({ push: { channel, subscribe: subscribed } }),
  unsubscribePush: (channel, { code, reason }) =>
    encode({ push: { channel, unsubscribe: { code, reason } } }),
  ping: Buffer.of(0),
  frame: (messages) => binaryFrame(Buffer.concat(messages.map(bytesOf))),
}

const halfSurrogatePair = /\p{Surrogate}/u

export function encode(reply: object): Encoded {
  return bytesOf(ReplyMessage.encodeDelimited(reply).finish())
}

export function bytesOf(message: string | Uint8Array): Buffer {
  if (typeof message === 'string') {
    return Buffer.from(message)
  }
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength)
}

function publicationOf(publication: Publication | StreamPublication): object {
  return { ...publication, ...about(publication), data: bytesOfData(publication.data) }
}

function withOffset(pub: object, offset: number | undefined): object {
  return offset === undefined ? pub : { ...pub, offset }
}

function about({ info, tags }: Pick<Publication, 'info' | 'tags'>): object {
  return {
    ...(info === undefined ? {} : { info: infoOf(info) }),
    ...(tags === undefined ? {} : { tags: wellFormedTags(tags) }),
  }
}

function wellFormedTags(tags: Record<string, string>): Record<string, string> {
  const entries = Object.entries(tags)
  return Object.fromEntries(entries.map(([key, value]) => [wellFormed(key), wellFormed(value)]))
}

function withPresence(body: ReplyBody): ReplyBody {
  if (!('presence' in body)) {
    return body
  }
  const infos = Object.entries(body.presence.presence).map(([id, info]) => [id, infoOf(info)])
  return { presence: { presence: Object.fromEntries(infos) } }
}

function infoOf({ user, client }: ClientInfo): ClientInfo {
  return { user: wellFormed(user), client }
}

/**
 * Replaces halves of surrogate pairs. JSON can escape them, UTF-8 cannot express them, and strict
 * clients reject what the library would write.
 */
function wellFormed(text: string): string {
  return halfSurrogatePair.test(text) ? Buffer.from(text).toString() : text
}

function decode(message: Buffer, maxCommands = maxCommandsPerFrame): Command[] {
  const commands: Command[] = []
  const reader = protobuf.Reader.create(message)
  while (reader.pos < reader.len) {
    if (commands.length === maxCommands) {
      throw new ProtocolError(
        'too_many_commands',
        `the frame has more than ${maxCommands} commands`,
      )
    }
    const length = readProtobuf(() => reader.uint32())
    const end = reader.pos + length
    if (end > reader.len) {
      throw new ProtocolError('not_protobuf', 'a message length exceeds the frame')
    }
    // Decode each command from its own bytes, so that a wrong length cannot reach into the next one.
    commands.push(decodeCommand(message.subarray(reader.pos, end)))
    reader.pos = end
  }
  if (commands.length === 0) {
    throw new ProtocolError('empty_frame', 'the frame has no command')
  }
  return commands
}

function decodeCommand(bytes: Buffer): Command {
  if (bytes.length === 0) {
    return { method: 'pong' }
  }
  const value: Record<string, unknown> = readProtobuf(() =>
    CommandMessage.toObject(CommandMessage.decode(bytes), { longs: Number }),
  )
  // All fields are unknown, so this is no pong.
  if (Object.keys(value).length === 0) {
    throw new ProtocolError('not_a_command', 'a command must name exactly one known method')
  }
  const { publish } = value
  // Encoders omit empty bytes.
  if (publish instanceof Object && !('data' in publish)) {
    value['publish'] = { ...publish, data: Buffer.alloc(0) }
  }
  return readCommand(value, (_method, data) =>
    data instanceof Uint8Array ? dataOfBytes(data) : undefined,
  )
}

/** Turns the library's errors, which are of several classes, into a ProtocolError. */
export function readProtobuf<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new ProtocolError('not_protobuf', String(error))
  }
}
