import { defined } from '@portcullis/contracts/defined'
import { ChannelName } from '@portcullis/contracts/names'
import {
  type Data,
  dataOfBytes,
  isCloseReason,
  JsonText,
  type ReplyError,
} from '@portcullis/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { HandlerOutcome, HandlerResult } from '../connection/handlers.js'

/** Above the highest limit for one connection. */
const maxChannels = 10_000

/** The latest time that a `Date` can hold. */
const maxUnixSeconds = 8_640_000_000_000

const orNull = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Unknown fields are ignored: handlers written for other servers send more. */
const HandlerAnswer = Type.Object({
  result: orNull(
    Type.Object({
      data: Type.Optional(Type.Unknown()),
      b64data: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })),
      channels: orNull(Type.Array(ChannelName, { maxItems: maxChannels })),
      /** Unix seconds; 0: no end. */
      expire_at: orNull(Type.Integer({ minimum: 0, maximum: maxUnixSeconds })),
      expired: orNull(Type.Boolean()),
      skip_history: orNull(Type.Boolean()),
      tags: orNull(Type.Record(Type.String(), Type.String())),
      /** Empty: none. */
      idempotency_key: orNull(Type.String({ maxLength: 128 })),
      /** 0: none. */
      version: orNull(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      version_epoch: orNull(Type.String({ maxLength: 64 })),
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
  return check.Check(value) ? answerOf(value, text) : undefined
}

function answerOf(
  { result, error, disconnect }: HandlerAnswer,
  text: string,
): HandlerOutcome | undefined {
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
  const { b64data = '', data: parsed } = result
  const hasData = b64data !== '' || parsed !== undefined
  const data = hasData ? dataOf(text, b64data) : undefined
  // The data is nested too deep.
  if (hasData && data === undefined) {
    return undefined
  }
  return { result: { ...defined({ data }), ...optionsOf(result) } }
}

function optionsOf({
  channels,
  expire_at: seconds,
  expired,
  skip_history: skipHistory,
  tags,
  idempotency_key: idempotencyKey,
  version,
  version_epoch: epoch,
}: Required<HandlerAnswer>['result'] & object): Omit<HandlerResult, 'data'> {
  return {
    ...(channels ? { channels } : {}),
    ...(seconds ? { expiresAt: seconds * 1000 } : {}),
    ...(expired === true ? { expired } : {}),
    ...(skipHistory === true ? { skipHistory } : {}),
    ...(tags ? { tags } : {}),
    ...(idempotencyKey ? { idempotencyKey } : {}),
    ...(version ? { version: { number: version, epoch: epoch ?? '' } } : {}),
  }
}

/** Returns the answer's data, unchanged. `b64data` wins. */
function dataOf(text: string, b64data: string): Data | undefined {
  return b64data === ''
    ? JsonText.member(text, ['result', 'data'])
    : dataOfBytes(Buffer.from(b64data, 'base64'))
}

function errorOf({
  code,
  message,
  temporary,
}: Required<HandlerAnswer>['error'] & object): ReplyError {
  return { code, message, ...(temporary === true ? { temporary } : {}) }
}
