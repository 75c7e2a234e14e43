import { ChannelName, TokenText } from '@portcullis/contracts/names'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { Data } from '../messages/data.js'

/** A bit of `flag` in `subscribe`: refuse the subscription when missed publications cannot be recovered. */
export const rejectUnrecovered = 2

/** The largest command id: an unsigned 32-bit integer in the protocol's Protobuf schema. */
export const maxCommandId = 4_294_967_295

const Name = Type.String({ maxLength: 255 })
const OfChannel = Type.Object({ channel: ChannelName })
const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** Names one numbering of a channel's publications. A lost history begins a new one. */
const Epoch = Type.String({ maxLength: 64 })
/** Recover the publications after `offset` of `epoch`. */
const recovering = {
  recover: Type.Optional(Type.Boolean()),
  epoch: Type.Optional(Epoch),
  offset: Type.Optional(Offset),
}

/** Any data, unchanged; see `readCommand`. */
const AnyData = Type.Unsafe<Data>(Type.Unknown())
/** Data for the application's handler. */
const HandlerData = Type.Optional(AnyData)

/**
 * The body of each command. Unknown fields are allowed and ignored: official clients add some with
 * every release.
 */
export const bodies = {
  connect: Type.Object({
    token: Type.Optional(Type.Union([TokenText, Type.Literal('')])),
    data: HandlerData,
    name: Type.Optional(Name),
    version: Type.Optional(Name),
    /** The position that the client had reached in channels that the server put it into before. */
    subs: Type.Optional(
      Type.Union([Type.Record(Type.String(), Type.Object(recovering)), Type.Null()]),
    ),
  }),
  refresh: Type.Object({ token: TokenText }),
  subscribe: Type.Object({
    channel: ChannelName,
    /** 0 is an ordinary subscription. The others (maps, shared polls) are not available. */
    type: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    /** Bits. Only `rejectUnrecovered` has a meaning here. */
    flag: Type.Optional(Type.Integer()),
    /** A token for this channel alone. */
    token: Type.Optional(Type.Union([TokenText, Type.Literal('')])),
    data: HandlerData,
    ...recovering,
    positioned: Type.Optional(Type.Boolean()),
    recoverable: Type.Optional(Type.Boolean()),
    join_leave: Type.Optional(Type.Boolean()),
    /** Send each publication as the difference to the previous one. `fossil` is the only algorithm. */
    delta: Type.Optional(Type.Union([Type.Literal('fossil'), Type.Literal('')])),
    /** A filter of publications; see `readTagFilter`. */
    tf: Type.Optional(Type.Unknown()),
  }),
  unsubscribe: OfChannel,
  publish: Type.Object({ channel: ChannelName, data: AnyData }),
  presence: OfChannel,
  presence_stats: OfChannel,
  history: Type.Object({
    channel: ChannelName,
    /** 0: the position alone. Negative: as many as fit into one reply. */
    limit: Type.Optional(Type.Integer({ minimum: -2_147_483_648, maximum: 2_147_483_647 })),
    since: Type.Optional(
      Type.Union([
        Type.Object({ offset: Type.Optional(Offset), epoch: Type.Optional(Epoch) }),
        Type.Null(),
      ]),
    ),
    reverse: Type.Optional(Type.Boolean()),
  }),
  sub_refresh: Type.Object({ channel: ChannelName, token: TokenText }),
  rpc: Type.Object({ method: Type.Optional(Name), data: HandlerData }),
  send: Type.Object({ data: HandlerData }),
} satisfies Record<string, TSchema>

/** The name of a command on the wire. */
export type Method = keyof typeof bodies

/** The name of a command with `data`. */
export type DataMethod = 'connect' | 'subscribe' | 'publish' | 'rpc' | 'send'

/** The body of each command, by the command's name. */
export type CommandBodies = { [M in Method]: Static<(typeof bodies)[M]> }
export type CommandBody<M extends Method> = CommandBodies[M]

/** The name of a command that has an id and a reply. */
export type RequestMethod = Exclude<Method, 'send'>

/** A command that has a reply with the same `id`. */
export type Request<M extends RequestMethod = RequestMethod> = {
  [Name in M]: { method: Name; id: number; body: CommandBodies[Name] }
}[M]

/** A command with a known name and an invalid body. Its reply is error 107. */
export interface Malformed {
  method: 'malformed'
  id: number
  of: Method
}

/** One command of a frame. */
export type Command =
  | Request
  | { method: 'send'; body: CommandBody<'send'> }
  | { method: 'pong' }
  | Malformed

type Checks = { readonly [M in Method]: TypeCheck<(typeof bodies)[M]> }

/** The compiled check of each body. */
export const checks: Checks = {
  connect: TypeCompiler.Compile(bodies.connect),
  refresh: TypeCompiler.Compile(bodies.refresh),
  subscribe: TypeCompiler.Compile(bodies.subscribe),
  unsubscribe: TypeCompiler.Compile(bodies.unsubscribe),
  publish: TypeCompiler.Compile(bodies.publish),
  presence: TypeCompiler.Compile(bodies.presence),
  presence_stats: TypeCompiler.Compile(bodies.presence_stats),
  history: TypeCompiler.Compile(bodies.history),
  sub_refresh: TypeCompiler.Compile(bodies.sub_refresh),
  rpc: TypeCompiler.Compile(bodies.rpc),
  send: TypeCompiler.Compile(bodies.send),
}

/** Returns true when a key of a command object is the name of a command. */
export function isMethod(key: string): key is Method {
  return Object.hasOwn(checks, key)
}
