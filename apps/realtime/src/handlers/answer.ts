import { defined } from '@portcullis/contracts/defined'
import { ChannelName } from '@portcullis/contracts/names'
import { contentOfJson, isCloseReason, type ReplyError } from '@portcullis/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { HandlerOutcome } from '../connection/handlers.js'

/** Above the highest limit for one connection. */
const maxChannels = 10_000

const orNull = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Unknown fields are ignored: handlers written for other servers send more. */
const HandlerAnswer = Type.Object({
  result: orNull(
    Type.Object({
      data: Type.Optional(Type.Unknown()),
      b64data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
      channels: orNull(Type.Array(ChannelName, { maxItems: maxChannels })),
    }),
  ),
  error: orNull(
    Type.Object({
      code: Type.Integer({ minimum: 1, maximum: 4_294_967_295 }),
      message: Type.String(),
      temporary: Type.Optional(Type.Boolean()),
    }),
  ),
  disconnect: orNull(
    Type.Object({
      code: Type.Integer({ minimum: 3000, maximum: 4999 }),
      reason: Type.String(),
    }),
  ),
})
type HandlerAnswer = Static<typeof HandlerAnswer>

const check = TypeCompiler.Compile(HandlerAnswer)

/**
 * Reads the body of a handler's answer; an empty body is an empty result. Returns undefined when
 * malformed.
 */
export function readAnswer(text: string): HandlerOutcome | undefined {
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

function answerOf({ result, error, disconnect }: HandlerAnswer): HandlerOutcome | undefined {
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
      ...defined({ data: content }),
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
