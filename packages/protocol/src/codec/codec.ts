import type { Unsubscribe } from '../codes/unsubscribe-codes.js'
import type { Command } from '../commands/commands.js'
import type { Content } from '../messages/content.js'
import type { ClientInfo, Payload, Publication } from '../messages/publications.js'
import type { ReplyBody, SubscribePush } from '../messages/replies.js'

/** One message of the server, encoded. Only `frame` of the codec that made it knows how to send it. */
export type Encoded = string | Buffer

/** One form of the protocol. A connection holds one, and never asks which. */
export interface Codec {
  /** Whether the form's frames are binary; a client that sends the other kind is closed with 3506. */
  readonly binary: boolean

  /**
   * Reads one WebSocket message of a client.
   *
   * @throws ProtocolError when the message as a whole is not of the protocol
   */
  decode(message: Buffer, maxCommands?: number): Command[]

  reply(id: number, body: ReplyBody): Encoded

  /** The `data` of a result, as this form has it. */
  contentValue(content: Content): unknown

  /** The push of a publication, from the bytes that `decodePublication` has accepted. */
  publicationPush(channel: string, encoded: Buffer, offset?: number): Encoded

  /** What deltas are made of: a publication's data, as this form has it. */
  payload(publication: Publication): Buffer

  /** The push of a publication to subscribers who have asked for deltas. */
  payloadPush(channel: string, publication: Publication, payload: Payload, offset?: number): Encoded

  /** Tells subscribers who asked for it that somebody has come into the channel, or has left it. */
  presencePush(channel: string, kind: 'join' | 'leave', info: ClientInfo): Encoded

  /** Tells the client that the server has put it into a channel. */
  subscribePush(channel: string, subscribed: SubscribePush): Encoded

  /** Tells the client that the server ended one of its subscriptions. */
  unsubscribePush(channel: string, why: Unsubscribe): Encoded

  /** The server's ping. */
  readonly ping: Encoded

  /** A whole WebSocket frame with all of these, in order; one at least. */
  frame(messages: readonly Encoded[]): Buffer
}
