import { type Static, Type } from '@sinclair/typebox'
import { ChannelName, Subject } from './names.js'

/** Bytes in base64 (RFC 4648 §4). */
const Base64 = Type.String({
  pattern: '^[A-Za-z0-9+/]*={0,2}$',
  description: 'base64 (RFC 4648 §4)',
})

const published = {
  /** Any JSON. */
  data: Type.Optional(Type.Unknown()),
  /** Instead of `data`. */
  b64data: Type.Optional(Base64),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** A repetition within five minutes publishes nothing and returns the first result. */
  idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  /**
   * Publishes nothing, and returns the end of the stream, unless greater than the channel's last version
   * of the same `version_epoch`. For a channel with a history; 0 is the same as absent.
   */
  version: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  version_epoch: Type.Optional(Type.String({ maxLength: 64 })),
  /** Sends only to current subscribers, and does not store the publication. */
  skip_history: Type.Optional(Type.Boolean()),
}

/** Exactly one of `data` and `b64data`. */
const oneContent = { oneOf: [{ required: ['data'] }, { required: ['b64data'] }] }

/** `POST /api/publish` on a realtime node. */
export const PublishRequest = Type.Object({ channel: ChannelName, ...published }, oneContent)
export type PublishRequest = Static<typeof PublishRequest>

/** `POST /api/broadcast`: publishes the same data in several channels. */
export const BroadcastRequest = Type.Object(
  { channels: Type.Array(ChannelName, { minItems: 1, maxItems: 1000 }), ...published },
  oneContent,
)

/** Result of a publish: the position in the channel's history; empty if it keeps none. */
export const PublishResult = Type.Object({
  offset: Type.Optional(Type.Integer()),
  epoch: Type.Optional(Type.String()),
})
export type PublishResult = Static<typeof PublishResult>

/** `POST /api/presence`, `/api/presence_stats`, `/api/history_remove`. */
export const ChannelRequest = Type.Object({ channel: ChannelName })

const StreamPosition = Type.Object({
  offset: Type.Integer({ minimum: 0 }),
  /** Without an epoch, or with an empty one: the present epoch. */
  epoch: Type.Optional(Type.String({ maxLength: 64 })),
})

/** `POST /api/history`. Without a limit, or with 0, the result has only the position. */
export const HistoryRequest = Type.Object({
  channel: ChannelName,
  limit: Type.Optional(Type.Integer({ minimum: -1, maximum: 10_000 })),
  since: Type.Optional(StreamPosition),
  reverse: Type.Optional(Type.Boolean()),
})

/** `POST /api/channels`: a glob pattern; default: all. */
export const ChannelsRequest = Type.Object({
  pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
})

/**
 * The connections of a command: all of a user's, or the one with the id `client` (or `session`, the
 * same id). Nodes refuse Centrifugo's other ways to select connections: ignoring them would reach
 * more connections than the caller meant.
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
    /** Ids of connections to keep. */
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

/** Unix time in seconds; 0 is the same as absent. The maximum refuses times in milliseconds. */
const Seconds = Type.Integer({
  minimum: 0,
  maximum: 99_999_999_999,
  description: 'Unix time in seconds',
})

/** `POST /api/subscribe`: subscribes the user's connections to a channel. */
export const SubscribeRequest = Type.Object(
  {
    ...target,
    channel: ChannelName,
    /** When the subscriptions end. */
    expire_at: Type.Optional(Seconds),
    /** Any JSON for the clients, at most 32 KiB. */
    data: Type.Optional(Type.Unknown()),
    /** Instead of `data`. */
    b64data: Type.Optional(Base64),
    /** Send the publications after this position first, as far as history has them. */
    recover_since: Type.Optional(StreamPosition),
    info: Type.Optional(Type.Unknown({ description: 'not available' })),
    b64info: Type.Optional(Type.Unknown({ description: 'not available' })),
    override: Type.Optional(Type.Unknown({ description: 'not available' })),
  },
  closed,
)

/** `POST /api/unsubscribe`: ends the user's subscriptions to a channel; does not revoke. */
export const UnsubscribeRequest = Type.Object({ ...target, channel: ChannelName }, closed)

/** `POST /api/refresh`: ends the user's connections as expired. It cannot extend them. */
export const RefreshRequest = Type.Object(
  {
    ...target,
    expired: Type.Optional(Type.Boolean()),
    /** Must be in the past. */
    expire_at: Type.Optional(Seconds),
    info: Type.Optional(Type.Unknown({ description: 'not available' })),
  },
  closed,
)

/** `POST /api/batch`: commands by name, `{"publish":{…}}`, run one after the other. */
export const BatchRequest = Type.Object({
  commands: Type.Array(
    Type.Record(Type.String(), Type.Unknown(), { minProperties: 1, maxProperties: 1 }),
    { maxItems: 1000 },
  ),
  /** Runs the commands side by side. */
  parallel: Type.Optional(Type.Boolean()),
})

export const ApiError = Type.Object({ code: Type.Integer(), message: Type.String() })
export type ApiError = Static<typeof ApiError>

/** One node in the response to `POST /api/info`. */
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
