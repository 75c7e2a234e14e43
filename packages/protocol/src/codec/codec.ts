import type { Unsubscribe } from '../codes/unsubscribe-codes.js'
import type { Command } from '../commands/commands.js'
import type { Data } from '../messages/data.js'
import type { ClientInfo, Payload, Publication } from '../messages/publications.js'
import type { ReplyBody, SubscribePush } from '../messages/replies.js'

/** One encoded message of the server. Only the codec that made it can put it into a frame. */
export type Encoded = string | Buffer

/** One form of the protocol: JSON or Protobuf. */
export interface Codec {
  /** True for binary frames, false for text. A client that sends the other kind is closed with 3506. */
  readonly binary: boolean

  /**
   * Returns the commands of one WebSocket message of a client.
   *
   * @throws ProtocolError when the message breaks the protocol
   */
  decode(message: Buffer, maxCommands?: number): Command[]

  reply(id: number, body: ReplyBody): Encoded

  /** Returns the `data` of a result: JSON, or bytes in the Protobuf form. */
  dataValue(data: Data): Data

  /** Returns the push of a publication. `encoded` must be one; see `isPublication`. */
  publicationPush(channel: string, encoded: Buffer, offset?: number): Encoded

  /** Returns the data of a publication as the bytes between which deltas are computed. */
  payload(publication: Publication): Buffer

  /** Returns the push of a publication for subscribers with deltas. */
  payloadPush(channel: string, publication: Publication, payload: Payload, offset?: number): Encoded

  /** Returns the push that a client has joined or left a channel. */
  presencePush(channel: string, kind: 'join' | 'leave', info: ClientInfo): Encoded

  /** Returns the push that the server has put the client into a channel. */
  subscribePush(channel: string, subscribed: SubscribePush): Encoded

  /** Returns the push that the server has ended a subscription. */
  unsubscribePush(channel: string, reason: Unsubscribe): Encoded

  /** The server's ping. */
  readonly ping: Encoded

  /**
   * Returns one frame with all of these messages, in order; there is at least one. It is a whole WebSocket
   * frame, or a piece of an HTTP stream (`StreamCodec`).
   */
  frame(messages: readonly Encoded[]): Buffer
}
