import { defined } from '@portcullis/contracts/defined'
import type { ApiError, PublishRequest, PublishResult } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import { encodePublication, replyErrors, type StreamPosition } from '@portcullis/protocol'
import { bodyData } from '../body.js'
import { type ApiReply, apiError, orInternal } from '../reply.js'

export interface PublishIntoOptions {
  idempotencyKey?: string | undefined
  skipHistory?: boolean | undefined
}

/**
 * Sends an encoded publication to every node; rejects when Redis is away or the caller's token has
 * ended.
 */
export type Publish = (
  channel: string,
  publication: Buffer,
  caller: Grant,
  options?: PublishIntoOptions,
) => Promise<StreamPosition | undefined>

type Publication = Omit<PublishRequest, 'channel'>

/** Encodes a publication; returns error 107 when its data is nested too deep. */
export function encodeRequest(body: Publication): { encoded: Buffer } | { error: ApiError } {
  const data = bodyData(body)
  return data === undefined || data === 'too deep'
    ? apiError(replyErrors.badRequest)
    : { encoded: encodePublication({ data, ...defined({ tags: body.tags }) }) }
}

/** Publishes into one channel. Never rejects, so that a broadcast can report each channel. */
export async function publishInto(
  publish: Publish,
  channel: string,
  encoded: Buffer,
  caller: Grant,
  { idempotency_key: idempotencyKey, skip_history: skipHistory }: Publication,
): Promise<ApiReply<PublishResult>> {
  const options = { idempotencyKey, skipHistory }
  return orInternal(publish(channel, encoded, caller, options).then((position) => position ?? {}))
}
