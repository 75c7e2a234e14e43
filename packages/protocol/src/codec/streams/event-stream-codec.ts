import { encodeDisconnectPush } from '../../messages/replies.js'
import { jsonCodec } from '../json-codec.js'
import type { StreamCodec } from './stream-codec.js'

const carriageReturns = /\r/g

/** The form of server-sent events: each message is one event, in JSON. */
export const eventStreamCodec: StreamCodec = {
  ...jsonCodec,
  mediaType: 'text/event-stream',
  disconnectPush: encodeDisconnectPush,
  // A carriage return would end the event's line. In JSON it can only be white space between tokens.
  frame: (messages) =>
    Buffer.from(
      messages.map((each) => `data: ${String(each).replace(carriageReturns, ' ')}\n\n`).join(''),
    ),
}
