import protobuf from 'protobufjs/light.js'
import type { Command } from '../commands/commands.js'
import { maxCommandsPerFrame } from '../commands/decode-commands.js'
import { readCommand } from '../commands/read-command.js'
import { ProtocolError } from '../errors.js'
import { binaryFrame } from '../frames/binary-frame.js'
import { bytesOfContent, contentOfBytes } from '../messages/content.js'
import {
  type ClientInfo,
  decodePublication,
  type Publication,
  type StreamPublication,
} from '../messages/publications.js'
import { type ReplyBody, withPublications } from '../messages/replies.js'
import type { Codec, Encoded } from './codec.js'
import { CommandMessage, ReplyMessage } from './protobuf-messages.js'

/** The Protobuf form: binary frames, each message behind its length as a varint. */
export const protobufCodec: Codec = {
  binary: true,
  decode,
  reply: (id, body) => encode({ id, ...withPublications(withPresence(body), publicationOf) }),
  contentValue: bytesOfContent,
  publicationPush: (channel, encoded, offset) => {
    const publication = decodePublication(encoded)
    const pub = publication === undefined ? {} : publicationOf(publication)
    return encode({ push: { channel, pub: withOffset(pub, offset) } })
  },
  payload: bytesOfContent,
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

const halfOfPair = /\p{Surrogate}/u

function encode(reply: object): Encoded {
  return bytesOf(ReplyMessage.encodeDelimited(reply).finish())
}

function bytesOf(message: string | Uint8Array): Buffer {
  if (typeof message === 'string') {
    return Buffer.from(message)
  }
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength)
}

function publicationOf(publication: Publication | StreamPublication): object {
  return { ...publication, ...about(publication), data: bytesOfContent(publication) }
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
 * JSON can escape half of a surrogate pair, UTF-8 has no bytes for it; the library would write what
 * strict clients take for a broken message.
 */
function wellFormed(text: string): string {
  return halfOfPair.test(text) ? Buffer.from(text).toString() : text
}

function decode(message: Buffer, maxCommands = maxCommandsPerFrame): Command[] {
  const commands: Command[] = []
  const reader = protobuf.Reader.create(message)
  while (reader.pos < reader.len) {
    if (commands.length === maxCommands) {
      throw new ProtocolError('too_many_commands', `more than ${maxCommands} commands in a frame`)
    }
    const length = orNotProtobuf(() => reader.uint32())
    const end = reader.pos + length
    if (end > reader.len) {
      throw new ProtocolError('not_protobuf', 'a length beyond the frame')
    }
    // Each command is read from its own bytes, so that no length in it reaches into the next.
    commands.push(decodeCommand(message.subarray(reader.pos, end)))
    reader.pos = end
  }
  if (commands.length === 0) {
    throw new ProtocolError('empty_frame', 'a frame without a command')
  }
  return commands
}

function decodeCommand(bytes: Buffer): Command {
  if (bytes.length === 0) {
    return { method: 'pong' }
  }
  const value: Record<string, unknown> = orNotProtobuf(() =>
    CommandMessage.toObject(CommandMessage.decode(bytes), { longs: Number }),
  )
  // Of nothing but fields that we do not know: a command, though none of ours.
  if (Object.keys(value).length === 0) {
    throw new ProtocolError('not_a_command', 'a command names exactly one known method')
  }
  const { publish } = value
  // An encoder leaves empty bytes out.
  if (publish instanceof Object && !('data' in publish)) {
    value['publish'] = { ...publish, data: Buffer.alloc(0) }
  }
  const command = readCommand(value)
  if (command.method !== 'publish' || !('data' in command.body)) {
    return command
  }
  const { channel, data } = command.body
  const content = contentOfBytes(data instanceof Uint8Array ? data : Buffer.alloc(0))
  return { ...command, body: { channel, ...content } }
}

/** The library reports what it cannot read by errors of several kinds. */
function orNotProtobuf<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new ProtocolError('not_protobuf', String(error))
  }
}
