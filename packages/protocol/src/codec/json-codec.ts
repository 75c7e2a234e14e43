import { decodeCommands } from '../commands/decode-commands.js'
import { textFrame } from '../frames/text-frame.js'
import { jsonOfData } from '../messages/data.js'
import { encodePayloadPush, encodePublicationPush } from '../messages/publications.js'
import {
  encodePresencePush,
  encodeReply,
  encodeSubscribePush,
  encodeUnsubscribePush,
  pingMessage,
} from '../messages/replies.js'
import type { Codec } from './codec.js'

/** The JSON form: text frames with one message per line. */
export const jsonCodec: Codec = {
  binary: false,
  decode: (message, maxCommands) => decodeCommands(message.toString(), maxCommands),
  reply: encodeReply,
  dataValue: jsonOfData,
  publicationPush: encodePublicationPush,
  payload: (publication) => Buffer.from(jsonOfData(publication.data).text),
  payloadPush: encodePayloadPush,
  presencePush: encodePresencePush,
  subscribePush: encodeSubscribePush,
  unsubscribePush: encodeUnsubscribePush,
  ping: pingMessage,
  frame: (messages) => {
    const [only] = messages
    return textFrame(only !== undefined && messages.length === 1 ? only : messages.join('\n'))
  },
}
