import type { Codec } from '@portcullis/protocol'
import type { TransportName } from './io/transport.js'

/** What happened to a client. `disconnected` ends all its subscriptions. */
export type ClientEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'subscribed'; readonly channel: string }
  | {
      readonly type: 'unsubscribed'
      readonly channel: string
      readonly code: number
      readonly reason: string
    }
  /** With a channel: its own token was revoked; otherwise that of the connection. */
  | { readonly type: 'revoked'; readonly channel?: string }
  | { readonly type: 'disconnected'; readonly code: number; readonly reason: string }

/** A connection as events name it. */
export interface EventSource {
  readonly id: string
  readonly subject: string
  readonly identity: string
  readonly codec: Codec
  readonly transport: TransportName
}

/** Reports events to the application's backend. */
export interface Events {
  /** Returns at once; the report follows later. */
  record(source: EventSource, event: ClientEvent): void
}

/** The code and reason of an unsubscribe by the client. */
export const clientUnsubscribe = { code: 0, reason: 'client unsubscribe' }
