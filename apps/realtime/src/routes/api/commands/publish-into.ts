import type { ApiError, PublishRequest, PublishResult } from '@portcullis/contracts/server-api'
import {
  contentOfBytes,
  encodePublication,
  replyErrors,
  type StreamPosition,
} from '@portcullis/protocol'
import { apiError, orInternal } from '../answer.js'
import type { Caller } from '../command.js'

export interface PublishIntoOptions {
  idempotencyKey?: string | undefined
  skipHistory?: boolean | undefined
}

/**
 * Sends an encoded publication to every node; rejects when Redis cannot take it now, or when the
 * caller's token has ended.
 */
export type Publish = (
  channel: string,
  publication: Buffer,
  caller: Caller,
  options?: PublishIntoOptions,
) => Promise<StreamPosition | undefined>

type Answer = { result: PublishResult } | { error: ApiError }
type Publication = Omit<PublishRequest, 'channel'>

/** Encodes a publication; the error 107 when it is nested deeper than JSON can be written. */
export function encodeRequest({
  data,
  b64data,
  tags,
}: Publication): { encoded: Buffer } | { error: ApiError } {
  const content = b64data === undefined ? { data } : contentOfBytes(Buffer.from(b64data, 'base64'))
  try {
    return { encoded: encodePublication({ ...content, ...(tags === undefined ? {} : { tags }) }) }
  } catch (error) {
    if (error instanceof RangeError) {
      return apiError(replyErrors.badRequest)
    }
    throw error
  }
}

/** Publishes into one channel; never rejects, so that a broadcast can report each channel. */
export async function publishInto(
  publish: Publish,
  channel: string,
  encoded: Buffer,
  caller: Caller,
  { idempotency_key: idempotencyKey, skip_history: skipHistory }: Publication,
): Promise<Answer> {
  const options = { idempotencyKey, skipHistory }
  return orInternal(publish(channel, encoded, caller, options).then((position) => position ?? {}))
}
