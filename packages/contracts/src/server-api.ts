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

/**
 * Which connections a command is about: all of a user's, or the one of this id (`session` is the same
 * id). What else would choose among them is not taken: a command must not reach more than was meant.
 */
const target = {
  user: Subject,
  client: Type.Optional(Type.String({ maxLength: 64 })),
  session: Type.Optional(Type.String({ maxLength: 64 })),
  label_filter: Type.Optional(Type.Unknown({ description: 'not available' })),
  all_users: Type.Optional(Type.Unknown({ description: 'not available' })),
}
const closed = { additionalProperties: false }
export type TargetRequest = Pick<Static<typeof DisconnectRequest>, 'user' | 'client' | 'session'>

/** `POST /api/disconnect`: closes the user's connections on every node; does not revoke. */
export const DisconnectRequest = Type.Object(
  {
    ...target,
    /** Ids of connections that stay. */
    whitelist: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 512 }),
    ),
    disconnect: Type.Optional(
      Type.Object({
        code: Type.Integer({ minimum: 3000, maximum: 4999 }),
        reason: Type.String({ maxLength: 123, description: 'up to 123 bytes of UTF-8' }),
      }),
    ),
  },
  closed,
)

/** Unix time in seconds; 0 is the same as none. */
const Seconds = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000 })

/** `POST /api/subscribe`: puts the user's connections into a channel. */
export const SubscribeRequest = Type.Object(
  {
    ...target,
    channel: ChannelName,
    /** When they are taken out again. */
    expire_at: Type.Optional(Seconds),
    /** For the clients' own use: any JSON, at most 32 KiB. */
    data: Type.Optional(Type.Unknown()),
    /** Instead of it: bytes, in base64 (RFC 4648 §4). */
    b64data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
    /** They get what was published after it first, as far as history has it. */
    recover_since: Type.Optional(
      Type.Object({ offset: Type.Integer({ minimum: 0 }), epoch: Type.String({ maxLength: 64 }) }),
    ),
    info: Type.Optional(Type.Unknown({ description: 'not available' })),
    b64info: Type.Optional(Type.Unknown({ description: 'not available' })),
    override: Type.Optional(Type.Unknown({ description: 'not available' })),
  },
  closed,
)

/** `POST /api/unsubscribe`: takes the user's connections out of a channel; does not revoke. */
export const UnsubscribeRequest = Type.Object({ ...target, channel: ChannelName }, closed)

/** `POST /api/refresh`: ends the user's connections as expired. Their end cannot be moved otherwise. */
export const RefreshRequest = Type.Object(
  {
    ...target,
    expired: Type.Optional(Type.Boolean()),
    /** Has to be in the past. */
    expire_at: Type.Optional(Seconds),
    info: Type.Optional(Type.Unknown({ description: 'not available' })),
  },
  closed,
)

/** `POST /api/batch`: commands by their names, `{"publish":{…}}`, one after the other. */
export const BatchRequest = Type.Object({
  commands: Type.Array(
    Type.Record(Type.String(), Type.Unknown(), { minProperties: 1, maxProperties: 1 }),
    { maxItems: 1000 },
  ),
  /** Side by side. */
  parallel: Type.Optional(Type.Boolean()),
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
