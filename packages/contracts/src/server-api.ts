import { type Static, Type } from '@sinclair/typebox'
import { ChannelName, Subject } from './names.js'

/** `POST /api/publish` on a realtime node. `data` is any JSON. */
export const PublishRequest = Type.Object({
  channel: ChannelName,
  data: Type.Unknown(),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
})
export type PublishRequest = Static<typeof PublishRequest>

/** `POST /api/broadcast`: the same data into several channels. */
export const BroadcastRequest = Type.Object({
  channels: Type.Array(ChannelName, { minItems: 1, maxItems: 1000 }),
  data: Type.Unknown(),
  tags: Type.Optional(Type.Record(Type.String(), Type.String())),
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
