import { type Static, Type } from '@sinclair/typebox'
import type { ReplyError } from '../codes/reply-errors.js'
import type { Unsubscribe } from '../codes/unsubscribe-codes.js'
import {
  ClientInfo,
  JsonPublication,
  jsonPublication,
  type StreamPublication,
  textPublication,
} from './publications.js'

/** What the JSON form has for `contentValue` of the codec: any value. */
const Data = Type.Optional(Type.Unknown())
const yes = Type.Literal(true)
const Seconds = Type.Integer({ minimum: 0, description: 'seconds' })

/** Publications as results carry them; the schema is that of the JSON form (`jsonPublication`). */
const Publications = Type.Unsafe<StreamPublication[]>(Type.Array(JsonPublication))

/** Where a channel's stream of publications ends. `offset` counts them while `epoch` lasts. */
export const StreamPosition = Type.Object({ offset: Type.Integer(), epoch: Type.String() })
export type StreamPosition = Static<typeof StreamPosition>
const position = Type.Partial(StreamPosition).properties

/** Result of `subscribe`. In a channel without a history it says nothing. */
export const SubscribeResult = Type.Object({
  ...position,
  /** The subscription's own token ends; `ttl` in seconds, as in `connect`. */
  expires: Type.Optional(yes),
  ttl: Type.Optional(Seconds),
  /** What is missed while away can be asked for with `recover`. */
  recoverable: Type.Optional(yes),
  /** Publications come without a gap, or the subscription is ended. */
  positioned: Type.Optional(yes),
  /** The client asked for `recover`. */
  was_recovering: Type.Optional(yes),
  /** From here on publications come as `Codec.payloadPush` makes them, those of this result in full. */
  delta: Type.Optional(yes),
  /** `publications` are all that it has missed. */
  recovered: Type.Optional(yes),
  publications: Type.Optional(Publications),
})
export type SubscribeResult = Static<typeof SubscribeResult>

/** Result of `connect`. `ttl`, `ping` in seconds. */
export const ConnectResult = Type.Object({
  client: Type.String(),
  version: Type.String(),
  expires: yes,
  /** When to send `refresh`: a little before the token ends. */
  ttl: Seconds,
  /** The longest silence between two pings of the server. */
  ping: Seconds,
  /** The client answers each ping. */
  pong: yes,
  session: Type.String(),
  node: Type.String(),
  /** What the application's `connect` handler has to say: `contentValue` of the codec. */
  data: Data,
  /** The channels that the server has put the client into, each as if it had asked for it. */
  subs: Type.Optional(Type.Record(Type.String(), SubscribeResult)),
})
export type ConnectResult = Static<typeof ConnectResult>

/** Result of `refresh`; `ttl` in seconds, as in `connect`. */
export const RefreshResult = Type.Object({
  client: Type.String(),
  version: Type.String(),
  expires: yes,
  ttl: Seconds,
})
export type RefreshResult = Static<typeof RefreshResult>

/** Tells a client that the server has put it into a channel, after it had connected. */
export const SubscribePush = Type.Object({
  ...position,
  recoverable: Type.Optional(yes),
  positioned: Type.Optional(yes),
  /** For the client's own use: `contentValue` of the codec. */
  data: Data,
})
export type SubscribePush = Static<typeof SubscribePush>

/** Result of `history`: publications oldest first, unless asked in reverse, and where the stream ends. */
export const HistoryResult = Type.Object({
  ...StreamPosition.properties,
  publications: Publications,
})
export type HistoryResult = Static<typeof HistoryResult>

/** Result of `presence`: who is subscribed, by the connection's id. */
export const PresenceResult = Type.Object({ presence: Type.Record(Type.String(), ClientInfo) })
export type PresenceResult = Static<typeof PresenceResult>

/** Result of `presence_stats`. A user counts once, with however many connections. */
export const PresenceStatsResult = Type.Object({
  num_clients: Type.Integer(),
  num_users: Type.Integer(),
})
export type PresenceStatsResult = Static<typeof PresenceStatsResult>

/** Result of `sub_refresh`; `ttl` in seconds. */
export const SubRefreshResult = Type.Object({ expires: yes, ttl: Seconds })
export type SubRefreshResult = Static<typeof SubRefreshResult>

/** Result of `rpc`: what the application's handler has answered. */
export const RpcResult = Type.Object({
  /** `contentValue` of the codec. */
  data: Data,
})
export type RpcResult = Static<typeof RpcResult>

const Nothing = Type.Object({})

/** The result of each command that has one. */
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

/** What a reply may carry beside its id. */
export type ReplyBody =
  | { [M in keyof Results]: Record<M, Static<Results[M]>> }[keyof Results]
  | { error: ReplyError }

/** A reply as one line of JSON, without its line end. */
export function encodeReply(id: number, body: ReplyBody): string {
  const deltas = 'subscribe' in body && body.subscribe.delta === true
  return JSON.stringify({
    id,
    ...withPublications(body, deltas ? textPublication : jsonPublication),
  })
}

/** The same body, with its publications as the form needs them. */
export function withPublications(
  body: ReplyBody,
  as: (publication: StreamPublication) => object,
): object {
  if ('history' in body) {
    const { history } = body
    return { history: { ...history, publications: history.publications.map(as) } }
  }
  if ('subscribe' in body) {
    return { subscribe: subscribed(body.subscribe, as) }
  }
  if (!('connect' in body) || body.connect.subs === undefined) {
    return body
  }
  const { subs, ...connect } = body.connect
  const results = Object.entries(subs).map(([name, result]) => [name, subscribed(result, as)])
  return { connect: { ...connect, subs: Object.fromEntries(results) } }
}

function subscribed(
  result: SubscribeResult,
  as: (publication: StreamPublication) => object,
): object {
  const { publications } = result
  return publications === undefined ? result : { ...result, publications: publications.map(as) }
}

/** Tells the client that the server has put it into a channel. */
export function encodeSubscribePush(channel: string, subscribe: SubscribePush): string {
  return JSON.stringify({ push: { channel, subscribe } })
}

/** Tells the client that the server ended one of its subscriptions. */
export function encodeUnsubscribePush(channel: string, { code, reason }: Unsubscribe): string {
  return JSON.stringify({ push: { channel, unsubscribe: { code, reason } } })
}

/** Tells subscribers who asked for it that somebody has come into the channel, or has left it. */
export function encodePresencePush(
  channel: string,
  kind: 'join' | 'leave',
  info: ClientInfo,
): Buffer {
  return Buffer.from(JSON.stringify({ push: { channel, [kind]: { info } } }))
}

/** The server's ping; the client's pong looks the same. */
export const pingMessage = '{}'
