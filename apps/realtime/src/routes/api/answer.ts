import { ApiError } from '@portcullis/contracts/server-api'
import { type ReplyError, replyErrors } from '@portcullis/protocol'
import { type TSchema, Type } from '@sinclair/typebox'
import type { Unread } from '../../connection/node.js'

/** The shape of every answer of the server API: a result, or an error, both with HTTP 200. */
export function ApiAnswer<T extends TSchema>(result: T) {
  return Type.Union([Type.Object({ result }), Type.Object({ error: ApiError })])
}

/** An error answer; the codes are those of the client protocol. */
export function apiError({ code, message }: ReplyError): { error: ApiError } {
  return { error: { code, message } }
}

/** Answers what was read, why it was not, or `internal` when Redis is away. */
export async function orUnread<T extends object>(
  work: Promise<T | Unread>,
): Promise<{ result: T } | { error: ApiError }> {
  const answer = await orInternal(work)
  if ('error' in answer) {
    return answer
  }
  const { result } = answer
  return typeof result === 'string' ? apiError(replyErrors[result]) : { result }
}

/** Answers `internal` when the work fails because Redis is away. */
export async function orInternal<T>(
  work: Promise<T>,
): Promise<{ result: T } | { error: ApiError }> {
  try {
    return { result: await work }
  } catch {
    return apiError(replyErrors.internal)
  }
}
