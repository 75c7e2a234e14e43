import { ChannelName, Milliseconds, Subject } from '@portcullis/contracts/names'
import { type Static, Type } from '@sinclair/typebox'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** Which connections of a user. */
const target = {
  /** The subject of the tokens that the connections stand on. */
  user: Subject,
  /** Only this one connection. */
  client: Type.Optional(Id),
  /** The same: a connection and its session have one id. */
  session: Type.Optional(Id),
  /** Only connections on this identity's tokens. */
  identity: Type.Optional(Type.String({ maxLength: 128 })),
}
export interface Target {
  user: string
  client?: string
  session?: string
  identity?: string
}

/** Close them, but for those in `whitelist`. */
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

/** Put them into a channel. */
export const SubscribeOrder = Type.Object(
  {
    type: Type.Literal('subscribe'),
    ...target,
    channel: ChannelName,
    /** They get what was published after it first. */
    since: Type.Optional(
      Type.Object({ offset: Type.Integer({ minimum: 0 }), epoch: Type.String() }, closed),
    ),
    /** For the clients' own use. */
    data: Type.Optional(
      Type.Union([
        Type.Object({ data: Type.Unknown() }, closed),
        Type.Object({ b64: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }) }, closed),
      ]),
    ),
    /** When it ends by itself, in Unix milliseconds. */
    expiresAt: Type.Optional(Milliseconds),
  },
  closed,
)
export type SubscribeOrder = Static<typeof SubscribeOrder>

/** Take them out of a channel, however they came into it. */
export const UnsubscribeOrder = Type.Object(
  { type: Type.Literal('unsubscribe'), ...target, channel: ChannelName },
  closed,
)
export type UnsubscribeOrder = Static<typeof UnsubscribeOrder>

/** What the server API asks of a user's connections, wherever they are. It travels between nodes as it is. */
export type Order = DisconnectOrder | SubscribeOrder | UnsubscribeOrder

/** Bytes that an order may have, as JSON. */
export const maxOrderBytes = 65_536
