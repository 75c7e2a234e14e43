import type { ApiError } from '@portcullis/contracts'
import { encodePublication, type Publication, replyErrors } from '@portcullis/protocol'
import { apiError, orInternal } from './api-answer.js'

/** Sends an encoded publication to every node; rejects when Redis cannot take it now. */
export type Publish = (channel: string, publication: Buffer) => Promise<void>

type Answer = { result: Record<never, never> } | { error: ApiError }

/** Encodes and publishes; never rejects, so that a broadcast can report each channel. */
export async function publishInto(
  publish: Publish,
  channel: string,
  publication: Publication,
): Promise<Answer> {
  let encoded: Buffer
  try {
    encoded = encodePublication(publication)
  } catch (error) {
    // Nested deeper than JSON can be written.
    if (error instanceof RangeError) return apiError(replyErrors.badRequest)
    throw error
  }
  return orInternal(publish(channel, encoded).then(() => ({})))
}
