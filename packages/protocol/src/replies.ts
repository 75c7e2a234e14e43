import {
  type ClientInfo,
  jsonPublication,
  type StreamPublication,
  textPublication,
} from './publications.js'
import type { ReplyError } from './reply-errors.js'
import type { Unsubscribe } from './unsubscribe-codes.js'

/** Result of `connect`. `ttl`, `ping` in seconds. */
export interface ConnectResult {
  client: string
  version: string
  expires: true
  /** When to send `refresh`: a little before the token ends. */
  ttl: number
  /** The longest silence between two pings of the server. */
  ping: number
  /** The client answers each ping. */
  pong: true
  session: string
  node: string
  /** What the application's `connect` handler has to say: `dataOf` of the codec. */
  data?: unknown
  /** The channels that the server has put the client into, each as if it had asked for it. */
  subs?: Record<string, SubscribeResult>
}

/** Result of `refresh`; `ttl` in seconds, as in `connect`. */
export interface RefreshResult {
  client: string
  version: string
  expires: true
  ttl: number
}

/** Where a channel's stream of publications ends. `offset` counts them while `epoch` lasts. */
export interface StreamPosition {
  offset: number
  epoch: string
}

/** Result of `subscribe`. In a channel without a history it says nothing. */
export interface SubscribeResult extends Partial<StreamPosition> {
  /** The subscription's own token ends; `ttl` in seconds, as in `connect`. */
  expires?: true
  ttl?: number
  /** What is missed while away can be asked for with `recover`. */
  recoverable?: true
  /** Publications come without a gap, or the subscription is ended. */
  positioned?: true
  /** The client asked for `recover`. */
  was_recovering?: true
  /** From here on publications come as `Codec.payloadPush` makes them, those of this result in full. */
  delta?: true
  /** `publications` are all that it has missed. */
  recovered?: true
  publications?: StreamPublication[]
}

/** Tells a client that the server has put it into a channel, after it had connected. */
export interface SubscribePush extends Partial<StreamPosition> {
  recoverable?: true
  positioned?: true
  /** For the client's own use: `dataOf` of the codec. */
  data?: unknown
}

/** Result of `history`: publications oldest first, unless asked in reverse, and where the stream ends. */
export interface HistoryResult extends StreamPosition {
  publications: StreamPublication[]
}

/** Result of `presence`: who is subscribed, by the connection's id. */
export interface PresenceResult {
  presence: Record<string, ClientInfo>
}

/** Result of `presence_stats`. A user counts once, with however many connections. */
export interface PresenceStatsResult {
  num_clients: number
  num_users: number
}

/** Result of `sub_refresh`; `ttl` in seconds. */
export interface SubRefreshResult {
  expires: true
  ttl: number
}

/** Result of `rpc`: what the application's handler has answered. */
export interface RpcResult {
  /** `dataOf` of the codec. */
  data?: unknown
}

/** What a reply may carry beside its id. */
export type ReplyBody =
  | { connect: ConnectResult }
  | { refresh: RefreshResult }
  | { subscribe: SubscribeResult }
  | { unsubscribe: Record<never, never> }
  | { publish: Record<never, never> }
  | { history: HistoryResult }
  | { presence: PresenceResult }
  | { presence_stats: PresenceStatsResult }
  | { sub_refresh: SubRefreshResult }
  | { rpc: RpcResult }
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
  if ('subscribe' in body) return { subscribe: subscribed(body.subscribe, as) }
  if (!('connect' in body) || body.connect.subs === undefined) return body
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
