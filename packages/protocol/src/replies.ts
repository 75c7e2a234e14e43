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
}

/** Result of `refresh`; `ttl` in seconds, as in `connect`. */
export interface RefreshResult {
  client: string
  version: string
  expires: true
  ttl: number
}

/** What a reply may carry beside its id. */
export type ReplyBody =
  | { connect: ConnectResult }
  | { refresh: RefreshResult }
  | { subscribe: Record<never, never> }
  | { unsubscribe: Record<never, never> }
  | { publish: Record<never, never> }
  | { error: ReplyError }

/** A reply as one line of JSON, without its line end. */
export function encodeReply(id: number, body: ReplyBody): string {
  return JSON.stringify({ id, ...body })
}

/** Tells the client that the server ended one of its subscriptions. */
export function encodeUnsubscribePush(channel: string, { code, reason }: Unsubscribe): string {
  return JSON.stringify({ push: { channel, unsubscribe: { code, reason } } })
}

/** The server's ping; the client's pong looks the same. */
export const pingMessage = '{}'
