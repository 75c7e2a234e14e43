import { type Static, Type } from '@sinclair/typebox'
import { ChannelName, Subject } from './names.js'

const published = {
  /** Any JSON. */
  data: Type.Optional(Type.Unknown()),
  /** Instead of it: bytes, in base64 (RFC 4648 §4). */
  b64data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** Said again within five minutes, it publishes nothing, and is answered as the first time. */
  idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  /** Goes to those who are there, and is not kept. */
  skip_history: Type.Optional(Type.Boolean()),
}

const oneContent = { oneOf: [{ required: ['data'] }, { required: ['b64data'] }] }

/** `POST /api/publish` on a realtime node: `data` or `b64data`. */
export const PublishRequest = Type.Object({ channel: ChannelName, ...published }, oneContent)
export type PublishRequest = Static<typeof PublishRequest>

/** `POST /api/broadcast`: the same data into several channels. */
export const BroadcastRequest = Type.Object(
  { channels: Type.Array(ChannelName, { minItems: 1, maxItems: 1000 }), ...published },
  oneContent,
)

/** Result of a publish: where it is in the channel's history, when there is one. */
export const PublishResult = Type.Object({
  offset: Type.Optional(Type.Integer()),
  epoch: Type.Optional(Type.String()),
})
export type PublishResult = Static<typeof PublishResult>

/** `POST /api/presence`, `/api/presence_stats`, `/api/history_remove`. */
export const ChannelRequest = Type.Object({ channel: ChannelName })

/** `POST /api/history`. Without a limit, or with 0, the position alone. */
export const HistoryRequest = Type.Object({
  channel: ChannelName,
  limit: Type.Optional(Type.Integer({ minimum: -1, maximum: 10_000 })),
  since: Type.Optional(
    Type.Object({ offset: Type.Integer({ minimum: 0 }), epoch: Type.String({ maxLength: 64 }) }),
  ),
  reverse: Type.Optional(Type.Boolean()),
})

/** `POST /api/channels`: a glob pattern; default: all. */
export const ChannelsRequest = Type.Object({
  pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
})

/** `POST /api/disconnect`: closes the user's connections on every node; does not revoke. */
export const DisconnectRequest = Type.Object({
  user: Subject,
  client: Type.Optional(Type.String({ maxLength: 64 })),
  disconnect: Type.Optional(
    Type.Object({
      code: Type.Integer({ minimum: 3000, maximum: 4999 }),
      reason: Type.String({ maxLength: 120 }),
    }),
  ),
})

export const ApiError = Type.Object({ code: Type.Integer(), message: Type.String() })
export type ApiError = Static<typeof ApiError>

/** One node in the answer to `POST /api/info`. */
export const InfoNode = Type.Object({
  uid: Type.String(),
  name: Type.String(),
  version: Type.String(),
  num_clients: Type.Integer(),
  num_users: Type.Integer(),
  num_subs: Type.Integer(),
  num_channels: Type.Integer(),
  uptime: Type.Integer(),
})
export type InfoNode = Static<typeof InfoNode>
