import type { Data, Disconnect, ReplyError } from '@portcullis/protocol'
import type { TransportName } from './io/transport.js'

/** A call to a handler of the application, on behalf of a connection. */
export interface HandlerCall {
  /** The connection's id. */
  readonly client: string
  readonly transport: TransportName
  /** The subject, the identity and the scopes of the connection's token. */
  readonly user: string
  readonly identity: string
  readonly scope: string
  readonly protocol: 'json' | 'protobuf'
  /** The client's data. Undefined when the command has none. */
  readonly data?: Data
  /** Set for `rpc`. */
  readonly method?: string
  /** Set for `subscribe`, `publish` and `sub_refresh`. */
  readonly channel?: string
  /** Set for `connect`: the name and version that the client sent. */
  readonly name?: string
  readonly version?: string
  /** Asked in the moment in which the call leaves the process. Returns false when it must not. */
  wanted(): boolean
}

export interface HandlerResult {
  readonly data?: Data
  /** For `connect`: channels that the client is put into, where its token permits them. */
  readonly channels?: readonly string[]
  /** For `subscribe` and `sub_refresh`: when the subscription ends, in Unix milliseconds. */
  readonly expiresAt?: number
  /** For `sub_refresh`: the subscription ends now. */
  readonly expired?: boolean
  /** For `publish`: the publication is not kept in the channel's history. */
  readonly skipHistory?: boolean
  readonly tags?: Record<string, string>
  /** For `publish`: see `PublishOptions`. */
  readonly idempotencyKey?: string
  readonly version?: { number: number; epoch: string }
}

/** What the application answers. */
export type HandlerOutcome =
  | { readonly result: HandlerResult }
  | { readonly error: ReplyError }
  | { readonly disconnect: Disconnect }

/** Never rejects: it returns an error to reply when the application is not available. */
export type Handler = (call: HandlerCall) => Promise<HandlerOutcome>

/**
 * The application's handlers. Undefined where the application has none.
 *
 * No handler gives a right that a token does not: the scopes are checked before the call and again at
 * the effect, and the handler can only refuse or narrow. An application that wants to decide alone
 * issues tokens with a wide scope, such as `subscribe:chat:*`. So a token's scopes remain the complete
 * list of what a revocation has to end.
 */
export interface Handlers {
  rpc(method: string): Handler | undefined
  /** Asked before a client's subscription begins. */
  subscribe(channel: string): Handler | undefined
  /** Asked before a client's publication is written. */
  publish(channel: string): Handler | undefined
  /** Asked before a subscription that the `subscribe` handler limited in time ends. */
  subRefresh(channel: string): Handler | undefined
  readonly send: Handler | undefined
  readonly connect: Handler | undefined
}
