import { encodeDisconnectPush } from '../../messages/replies.js'
import { jsonCodec } from '../json-codec.js'
import type { StreamCodec } from './stream-codec.js'

/** The JSON form of HTTP-streaming: each message is one line. */
export const jsonStreamCodec: StreamCodec = {
  ...jsonCodec,
  mediaType: 'text/plain; charset=utf-8',
  disconnectPush: encodeDisconnectPush,
  frame: (messages) => Buffer.from(`${messages.join('\n')}\n`),
}
