import { defined } from '@portcullis/contracts/defined'
import type { ApiError, PublishRequest, PublishResult } from '@portcullis/contracts/server-api'
import type { Grant } from '@portcullis/gate'
import { encodePublication, replyErrors, type StreamPosition } from '@portcullis/protocol'
import type { PublishOptions } from '../../../connection/node.js'
import { type ChannelOptions, isKept } from '../../../hub/namespaces.js'
import { bodyData } from '../body.js'
import { notAvailable } from '../orders.js'
import { type ApiReply, apiError, orInternal } from '../reply.js'

/**
 * Sends an encoded publication to every node; rejects when Redis is away or the caller's token has
 * ended.
 */
export type Publish = (
  channel: string,
  publication: Buffer,
  caller: Grant,
  options?: PublishOptions,
) => Promise<StreamPosition | undefined>

type Publication = Omit<PublishRequest, 'channel'>

/** Encodes a publication; returns error 107 when its data is nested too deep. */
export function encodeRequest(body: Publication): { encoded: Buffer } | { error: ApiError } {
  const data = bodyData(body)
  return data === undefined || data === 'too deep'
    ? apiError(replyErrors.badRequest)
    : { encoded: encodePublication({ data, ...defined({ tags: body.tags }) }) }
}

export interface PublishTo {
  publish: Publish
  optionsOf: (channel: string) => ChannelOptions
}

/** Publishes into one channel. Never rejects, so that a broadcast can report each channel. */
export async function publishInto(
  { publish, optionsOf }: PublishTo,
  channel: string,
  encoded: Buffer,
  caller: Grant,
  publication: Publication,
): Promise<ApiReply<PublishResult>> {
  const channelOptions = optionsOf(channel)
  if (channelOptions.isUnknown) {
    return apiError(replyErrors.unknownChannel)
  }
  const { idempotency_key: idempotencyKey, skip_history: skipHistory } = publication
  const version = versionOf(publication)
  if (version !== undefined && !isKept(channelOptions, skipHistory)) {
    return notAvailable('version in a channel without a history')
  }
  const options = defined({ idempotencyKey, skipHistory, version })
  return orInternal(publish(channel, encoded, caller, options).then((position) => position ?? {}))
}

/** Generated clients send 0 when there is no version. */
function versionOf({ version = 0, version_epoch: epoch = '' }: Publication) {
  return version === 0 ? undefined : { number: version, epoch }
}
