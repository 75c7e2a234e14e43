import { ChannelName, Milliseconds, Subject } from '@portcullis/contracts/names'
import { type Static, Type } from '@sinclair/typebox'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** Selects connections of a user. */
const target = {
  /** The subject of the connections' tokens. */
  user: Subject,
  /** Only this connection. */
  client: Type.Optional(Id),
  /** Only the connection with this session, as the reply to `connect` names it. */
  session: Type.Optional(Id),
  /** Only connections with tokens of this identity. */
  identity: Type.Optional(Type.String({ maxLength: 128 })),
}
export interface Target {
  user: string
  client?: string
  session?: string
  identity?: string
}

/** Closes the connections except those in `whitelist`. */
export const DisconnectOrder = Type.Object(
  {
    type: Type.Literal('disconnect'),
    ...target,
    whitelist: Type.Optional(Type.Array(Id)),
    code: Type.Integer({ minimum: 3000, maximum: 4999 }),
    reason: Type.String({ maxLength: 123 }),
  },
  closed,
)
export type DisconnectOrder = Static<typeof DisconnectOrder>

/** Subscribes the connections to a channel. */
export const SubscribeOrder = Type.Object(
  {
    type: Type.Literal('subscribe'),
    ...target,
    channel: ChannelName,
    /** Send the publications after this position first. */
    since: Type.Optional(
      Type.Object({ offset: Type.Integer({ minimum: 0 }), epoch: Type.String() }, closed),
    ),
    /** Passed on to the clients: bytes in base64. */
    data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
    /** End of the subscriptions, in Unix milliseconds. */
    expiresAt: Type.Optional(Milliseconds),
  },
  closed,
)
export type SubscribeOrder = Static<typeof SubscribeOrder>

/**
 * Unsubscribes the connections from a channel, whether the client or the server subscribed them.
 */
export const UnsubscribeOrder = Type.Object(
  { type: Type.Literal('unsubscribe'), ...target, channel: ChannelName },
  closed,
)
export type UnsubscribeOrder = Static<typeof UnsubscribeOrder>

/** An order of the server API for a user's connections on all nodes; sent between nodes as JSON. */
export type Order = DisconnectOrder | SubscribeOrder | UnsubscribeOrder

/** Maximum size of an order as JSON. */
export const maxOrderBytes = 65_536
