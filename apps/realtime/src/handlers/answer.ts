import { ChannelName } from '@portcullis/contracts/names'
import { contentOfJson, isCloseReason, type ReplyError } from '@portcullis/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Answer } from '../connection/handlers.js'

/** More than a node lets one connection be in. */
const mostChannels = 10_000

const orNothing = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** What we do not know is let through unread: handlers of other servers say more. */
const HandlerAnswer = Type.Object({
  result: orNothing(
    Type.Object({
      data: Type.Optional(Type.Unknown()),
      b64data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
      channels: orNothing(Type.Array(ChannelName, { maxItems: mostChannels })),
    }),
  ),
  error: orNothing(
    Type.Object({
      code: Type.Integer({ minimum: 1, maximum: 4_294_967_295 }),
      message: Type.String(),
      temporary: Type.Optional(Type.Boolean()),
    }),
  ),
  disconnect: orNothing(
    Type.Object({
      code: Type.Integer({ minimum: 3000, maximum: 4999 }),
      reason: Type.String(),
    }),
  ),
})
type HandlerAnswer = Static<typeof HandlerAnswer>

const check = TypeCompiler.Compile(HandlerAnswer)

/** Reads the body of a handler's answer; an empty one says nothing. Undefined: it is none. */
export function readAnswer(text: string): Answer | undefined {
  if (text.trim() === '') {
    return { result: {} }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return check.Check(value) ? answerOf(value) : undefined
}

function answerOf({ result, error, disconnect }: HandlerAnswer): Answer | undefined {
  if (disconnect) {
    const { code, reason } = disconnect
    return isCloseReason(reason) ? { disconnect: { code, reason } } : undefined
  }
  if (error) {
    return { error: errorOf(error) }
  }
  if (!result) {
    return undefined
  }
  const content = contentOfJson(result)
  const { channels } = result
  return {
    result: {
      ...(content === undefined ? {} : { data: content }),
      ...(channels ? { channels } : {}),
    },
  }
}

function errorOf({
  code,
  message,
  temporary,
}: Required<HandlerAnswer>['error'] & object): ReplyError {
  return { code, message, ...(temporary === true ? { temporary } : {}) }
}
