import { defined } from '@portcullis/contracts/defined'
import type { ApiError, PublishRequest, PublishResult } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import {
  contentOfBytes,
  encodePublication,
  replyErrors,
  type StreamPosition,
} from '@portcullis/protocol'
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

/** Encodes a publication; returns error 107 when it is nested too deep to be written as JSON. */
export function encodeRequest({
  data,
  b64data,
  tags,
}: Publication): { encoded: Buffer } | { error: ApiError } {
  const content = b64data === undefined ? { data } : contentOfBytes(Buffer.from(b64data, 'base64'))
  try {
    return { encoded: encodePublication({ ...content, ...defined({ tags }) }) }
  } catch (error) {
    if (error instanceof RangeError) {
      return apiError(replyErrors.badRequest)
    }
    throw error
  }
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
