import {
  decodePublication,
  type StreamPosition,
  type StreamPublication,
  type SubscribePush,
  type SubscribeResult,
  type TagFilter,
} from '@portcullis/protocol'
import type { SubscriptionOptions } from '../../hub/audience.js'
import type { Recovery, StoredPublication } from '../../hub/stream.js'

/** Where a subscription begins. Undefined in a channel without recovery. */
export type Begin = StreamPosition | Recovery | undefined

/** Returns the result of a `subscribe`: where the subscription begins, and what the client missed. */
export function subscribeResult(
  begin: Begin,
  { delta, filter }: SubscriptionOptions,
): SubscribeResult {
  const deltas = delta === true ? ({ delta } as const) : {}
  if (begin === undefined) {
    return deltas
  }
  const always = { recoverable: true, positioned: true, ...deltas } as const
  if (!('position' in begin)) {
    return { ...always, ...begin }
  }
  const { position, recovered, publications } = begin
  return {
    ...always,
    ...position,
    was_recovering: true,
    ...(recovered ? { recovered, publications: matching(publications, filter) } : {}),
  }
}

/** Returns the body of a subscribe push. It has no publications: they follow, one push each. */
export function subscribePush(begin: Begin, since: StreamPosition | undefined): SubscribePush {
  if (begin === undefined) {
    return {}
  }
  const always = { recoverable: true, positioned: true } as const
  if (!('position' in begin)) {
    return { ...always, ...begin }
  }
  const { position, recovered } = begin
  const offset = recovered && since !== undefined ? since.offset : position.offset
  return { ...always, offset, epoch: position.epoch }
}

function matching(publications: readonly StoredPublication[], filter: TagFilter | undefined) {
  const read = readPublications(publications)
  return filter === undefined ? read : read.filter(({ tags = {} }) => filter.matches(tags))
}

/** Returns publications of a history for a client. Leaves out what others wrote there that is not one. */
export function readPublications(publications: readonly StoredPublication[]): StreamPublication[] {
  return publications.flatMap(({ offset, encoded }) => {
    const publication = decodePublication(encoded)
    return publication === undefined ? [] : [{ ...publication, offset }]
  })
}
