import { type Static, Type } from '@sinclair/typebox'
import type { Disconnect } from '../codes/disconnect-codes.js'
import type { ReplyError } from '../codes/reply-errors.js'
import type { Unsubscribe } from '../codes/unsubscribe-codes.js'
import { writeJson } from '../json/write-json.js'
import {
  ClientInfo,
  JsonPublication,
  jsonPublication,
  type StreamPublication,
  textPublication,
} from './publications.js'

/** Data as `Codec.dataValue` returns it: any value in the JSON form. */
const Data = Type.Optional(Type.Unknown())
const yes = Type.Literal(true)
const Seconds = Type.Integer({ minimum: 0, description: 'seconds' })

/** The publications of results. The schema is that of the JSON form (`jsonPublication`). */
const Publications = Type.Unsafe<StreamPublication[]>(Type.Array(JsonPublication))

/** The end of a channel's stream: the offset of its last publication, counted within an epoch. */
export const StreamPosition = Type.Object({ offset: Type.Integer(), epoch: Type.String() })
export type StreamPosition = Static<typeof StreamPosition>
const position = Type.Partial(StreamPosition).properties

/** Result of `subscribe`. Empty in a channel without recovery, token, or deltas. */
export const SubscribeResult = Type.Object({
  ...position,
  /** The subscription has its own token. `ttl` is in seconds, as in `connect`. */
  expires: Type.Optional(yes),
  ttl: Type.Optional(Seconds),
  /** A client can ask with `recover` for what it missed. */
  recoverable: Type.Optional(yes),
  /** Publications arrive without a gap, or the subscription ends. */
  positioned: Type.Optional(yes),
  /** The client asked for `recover`. */
  was_recovering: Type.Optional(yes),
  /** Publications arrive as `Codec.payloadPush` makes them. Those of this result are in full. */
  delta: Type.Optional(yes),
  /** `publications` are all that the client missed. */
  recovered: Type.Optional(yes),
  publications: Type.Optional(Publications),
  /** Data from the application's `subscribe` handler. */
  data: Data,
})
export type SubscribeResult = Static<typeof SubscribeResult>

/** Result of `connect`. `ttl` and `ping` are in seconds. */
export const ConnectResult = Type.Object({
  client: Type.String(),
  version: Type.String(),
  expires: yes,
  /** Time until the client should send `refresh`, shortly before the token expires. */
  ttl: Seconds,
  /** The longest time between two pings of the server. */
  ping: Seconds,
  /** The client must answer each ping. */
  pong: yes,
  session: Type.String(),
  node: Type.String(),
  /** Data from the application's `connect` handler. */
  data: Data,
  /** The channels that the server put the client into, with the result of a `subscribe` for each. */
  subs: Type.Optional(Type.Record(Type.String(), SubscribeResult)),
})
export type ConnectResult = Static<typeof ConnectResult>

/** Result of `refresh`. `ttl` is in seconds, as in `connect`. */
export const RefreshResult = Type.Object({
  client: Type.String(),
  version: Type.String(),
  expires: yes,
  ttl: Seconds,
})
export type RefreshResult = Static<typeof RefreshResult>

/** Push to a connected client that the server has put into a channel. */
export const SubscribePush = Type.Object({
  ...position,
  recoverable: Type.Optional(yes),
  positioned: Type.Optional(yes),
  /** Data from the caller of the server API. */
  data: Data,
})
export type SubscribePush = Static<typeof SubscribePush>

/** Result of `history`: publications, oldest first unless reversed, and the end of the stream. */
export const HistoryResult = Type.Object({
  ...StreamPosition.properties,
  publications: Publications,
})
export type HistoryResult = Static<typeof HistoryResult>

/** Result of `presence`: the subscribed clients, by the connection's id. */
export const PresenceResult = Type.Object({ presence: Type.Record(Type.String(), ClientInfo) })
export type PresenceResult = Static<typeof PresenceResult>

/** Result of `presence_stats`. A user with several connections counts once. */
export const PresenceStatsResult = Type.Object({
  num_clients: Type.Integer(),
  num_users: Type.Integer(),
})
export type PresenceStatsResult = Static<typeof PresenceStatsResult>

/** Result of `sub_refresh`. `ttl` is in seconds. */
export const SubRefreshResult = Type.Object({ expires: yes, ttl: Seconds })
export type SubRefreshResult = Static<typeof SubRefreshResult>

/** Result of `rpc`. */
export const RpcResult = Type.Object({
  /** Data from the application's handler. */
  data: Data,
})
export type RpcResult = Static<typeof RpcResult>

const Nothing = Type.Object({})

/** The result of each command, by the command's name. */
export const results = {
  connect: ConnectResult,
  refresh: RefreshResult,
  subscribe: SubscribeResult,
  unsubscribe: Nothing,
  publish: Nothing,
  history: HistoryResult,
  presence: PresenceResult,
  presence_stats: PresenceStatsResult,
  sub_refresh: SubRefreshResult,
  rpc: RpcResult,
}
type Results = typeof results

/** The body of a reply: everything but its id. */
export type ReplyBody =
  | { [M in keyof Results]: Record<M, Static<Results[M]>> }[keyof Results]
  | { error: ReplyError }

/** Returns a reply as one line of JSON, without its line end. */
export function encodeReply(id: number, body: ReplyBody): string {
  const deltas = 'subscribe' in body && body.subscribe.delta === true
  return writeJson({
    id,
    ...withPublications(body, deltas ? textPublication : jsonPublication),
  })
}

/** Returns the body with each of its publications converted by `as`. */
export function withPublications(
  body: ReplyBody,
  as: (publication: StreamPublication) => object,
): object {
  if ('history' in body) {
    const { history } = body
    return { history: { ...history, publications: history.publications.map(as) } }
  }
  if ('subscribe' in body) {
    return { subscribe: convertResult(body.subscribe, as) }
  }
  if (!('connect' in body) || body.connect.subs === undefined) {
    return body
  }
  const { subs, ...connect } = body.connect
  const results = Object.entries(subs).map(([name, result]) => [name, convertResult(result, as)])
  return { connect: { ...connect, subs: Object.fromEntries(results) } }
}

function convertResult(
  result: SubscribeResult,
  as: (publication: StreamPublication) => object,
): object {
  const { publications } = result
  return publications === undefined ? result : { ...result, publications: publications.map(as) }
}

/** Returns the push that the server has put the client into a channel. */
export function encodeSubscribePush(channel: string, subscribe: SubscribePush): string {
  return writeJson({ push: { channel, subscribe } })
}

/** Returns the push that the server has ended a subscription. */
export function encodeUnsubscribePush(channel: string, { code, reason }: Unsubscribe): string {
  return JSON.stringify({ push: { channel, unsubscribe: { code, reason } } })
}

/** Returns the push that ends an HTTP stream. It belongs to no channel. */
export function encodeDisconnectPush({ code, reason }: Disconnect): string {
  return JSON.stringify({ push: { disconnect: { code, reason } } })
}

/** Returns the push that a client has joined or left a channel. */
export function encodePresencePush(
  channel: string,
  kind: 'join' | 'leave',
  info: ClientInfo,
): Buffer {
  return Buffer.from(JSON.stringify({ push: { channel, [kind]: { info } } }))
}

/** The server's ping. The client's pong has the same text. */
export const pingMessage = '{}'
