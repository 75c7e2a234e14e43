import type { Content, Disconnect, ReplyError } from '@portcullis/protocol'

/** What a connection wants the application to be told, or asked. */
export interface Call {
  /** The connection's id. */
  readonly client: string
  /** The subject of its token, the identity that this is of, and what the token permits. */
  readonly user: string
  readonly identity: string
  readonly scope: string
  readonly protocol: 'json' | 'protobuf'
  /** Bytes in the Protobuf form; undefined: nothing was said. */
  readonly data: unknown
  /** Of an `rpc`. */
  readonly method?: string
  /** Of a `connect`: what the client says of itself. */
  readonly name?: string
  readonly version?: string
  /** Asked in the moment in which the call would leave the process: after it nothing keeps it back. */
  wanted(): boolean
}

export interface Result {
  readonly data?: Content
  /** Of a `connect`: channels that the client is put into, as far as its token permits them. */
  readonly channels?: readonly string[]
}

/** What the application says to it. */
export type Answer =
  | { readonly result: Result }
  | { readonly error: ReplyError }
  | { readonly disconnect: Disconnect }

/** Never rejects: an application that is away is an error to answer. */
export type Handler = (call: Call) => Promise<Answer>

/** Where an application takes part in the protocol; undefined where it does not. */
export interface Handlers {
  rpc(method: string): Handler | undefined
  readonly send: Handler | undefined
  readonly connect: Handler | undefined
}
