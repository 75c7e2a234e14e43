import type {
  ClientInfo,
  Codec,
  Disconnect,
  Encoded,
  ReplyBody,
  ReplyError,
} from '@portcullis/protocol'
import type { ChannelOrder } from './commands/channel-order.js'
import type { EmulationAddress, TransportName } from './io/transport.js'
import type { ConnectionIdentity, Reader, Services } from './node.js'
import type { Subscriptions } from './subscriptions/subscriptions.js'
import type { Grant } from './tokens.js'

/** A connection as its commands see it. */
export interface Session extends ConnectionIdentity {
  readonly node: Services
  readonly codec: Codec
  readonly subscriptions: Subscriptions
  /** The grant of the token that the connection uses now. */
  readonly grant: Grant
  /** The client as other clients see it. */
  readonly info: ClientInfo
  /** Reads histories and presence in the user's turn, within the connection's rates. */
  readonly reader: Reader
  readonly closed: boolean
  /** What carries the connection. */
  readonly transport: TransportName
  /** Keeps the order of commands that name the same channel. */
  readonly order: ChannelOrder
  commandsInFlight: number
  /** Calls to the application's handlers; they are part of `commandsInFlight`. */
  handlerCalls: number
  /** Uses this grant from now on, in place of the current one. */
  useGrant(grant: Grant): void
  reply(id: number, body: ReplyBody): void
  fail(id: number, error: ReplyError): void
  /** Counts commands that came faster than the limits allow. */
  limited(commands: number): void
  send(message: Encoded): void
  end(disconnect: Disconnect): void
  /** Ends the connection after an unexpected error. */
  fault(error: unknown): void
}

export type ConnectReply = Extract<ReplyBody, { connect: unknown } | { error: unknown }>

/** A session as `connect` sees it. */
export interface ConnectingSession extends Session {
  /** Sends the reply to `connect`, then handles the commands that waited for it. */
  finishConnect(id: number, body: ConnectReply): void
  /** The session and the node, as the reply names them. */
  readonly address: EmulationAddress
}
