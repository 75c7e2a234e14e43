import { bytesOf, encode, protobufCodec } from '../protobuf-codec.js'
import type { StreamCodec } from './stream-codec.js'

/** The Protobuf form of HTTP-streaming: each message follows its length, as in a WebSocket frame. */
export const protobufStreamCodec: StreamCodec = {
  ...protobufCodec,
  mediaType: 'application/octet-stream',
  disconnectPush: ({ code, reason }) => encode({ push: { disconnect: { code, reason } } }),
  frame: (messages) => Buffer.concat(messages.map(bytesOf)),
}
