import type { Data, Disconnect, ReplyError } from '@portcullis/protocol'

/** A call to a handler of the application, on behalf of a connection. */
export interface HandlerCall {
  /** The connection's id. */
  readonly client: string
  /** The subject, the identity and the scopes of the connection's token. */
  readonly user: string
  readonly identity: string
  readonly scope: string
  readonly protocol: 'json' | 'protobuf'
  /** The client's data. Undefined when the command has none. */
  readonly data?: Data
  /** Set for `rpc`. */
  readonly method?: string
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
}

/** What the application answers. */
export type HandlerOutcome =
  | { readonly result: HandlerResult }
  | { readonly error: ReplyError }
  | { readonly disconnect: Disconnect }

/** Never rejects: it returns an error to reply when the application is not available. */
export type Handler = (call: HandlerCall) => Promise<HandlerOutcome>

/** The application's handlers. Undefined where the application has none. */
export interface Handlers {
  rpc(method: string): Handler | undefined
  readonly send: Handler | undefined
  readonly connect: Handler | undefined
}
