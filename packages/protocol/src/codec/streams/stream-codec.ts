import type { Disconnect } from '../../codes/disconnect-codes.js'
import type { Codec, Encoded } from '../codec.js'

/** A form of the protocol for HTTP streams, whose messages follow each other in the body of one response. */
export interface StreamCodec extends Codec {
  /** The media type of the response. */
  readonly mediaType: string

  /** Returns the last message of a stream. It takes the place of a WebSocket's close code. */
  disconnectPush(disconnect: Disconnect): Encoded
}
