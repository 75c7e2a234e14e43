import { ApiError } from '@portcullis/contracts/server-api'
import { type ReplyError, replyErrors } from '@portcullis/protocol'
import { type TSchema, Type } from '@sinclair/typebox'
import type { Unread } from '../../connection/node.js'

/** A command's reply: its result, or an error with a code of the client protocol. */
export type ApiReply<T = unknown> = { result: T } | { error: ApiError }

/** Returns the schema of a reply; HTTP status 200 in either case. */
export function ApiReply<T extends TSchema>(result: T) {
  return Type.Union([Type.Object({ result }), Type.Object({ error: ApiError })])
}

export function apiError({ code, message }: ReplyError): { error: ApiError } {
  return { error: { code, message } }
}

/**
 * Replies with the value read, the reason why it was not read, or `internal` when Redis is away.
 */
export async function orUnread<T extends object>(work: Promise<T | Unread>): Promise<ApiReply<T>> {
  const reply = await orInternal(work)
  if ('error' in reply) {
    return reply
  }
  const { result } = reply
  return typeof result === 'string' ? apiError(replyErrors[result]) : { result }
}

/**
 * Replies `internal` when the work rejects, because Redis is away or the caller's token has ended.
 */
export async function orInternal<T>(work: Promise<T>): Promise<ApiReply<T>> {
  try {
    return { result: await work }
  } catch {
    return apiError(replyErrors.internal)
  }
}
