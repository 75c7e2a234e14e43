import type { ApiError, PublishRequest, PublishResult } from '@portcullis/contracts'
import {
  contentOfBytes,
  encodePublication,
  replyErrors,
  type StreamPosition,
} from '@portcullis/protocol'
import { apiError, orInternal } from './api-answer.js'

export interface PublishIntoOptions {
  idempotencyKey?: string | undefined
  skipHistory?: boolean | undefined
}

/** Sends an encoded publication to every node; rejects when Redis cannot take it now. */
export type Publish = (
  channel: string,
  publication: Buffer,
  options?: PublishIntoOptions,
) => Promise<StreamPosition | undefined>

type Answer = { result: PublishResult } | { error: ApiError }

/** Encodes and publishes; never rejects, so that a broadcast can report each channel. */
export async function publishInto(
  publish: Publish,
  channel: string,
  {
    idempotency_key: idempotencyKey,
    skip_history: skipHistory,
    data,
    b64data,
    tags,
  }: Omit<PublishRequest, 'channel'>,
): Promise<Answer> {
  const content = b64data === undefined ? { data } : contentOfBytes(Buffer.from(b64data, 'base64'))
  let encoded: Buffer
  try {
    encoded = encodePublication({ ...content, ...(tags === undefined ? {} : { tags }) })
  } catch (error) {
    // Nested deeper than JSON can be written.
    if (error instanceof RangeError) return apiError(replyErrors.badRequest)
    throw error
  }
  const options = { idempotencyKey, skipHistory }
  return orInternal(publish(channel, encoded, options).then((position) => position ?? {}))
}
