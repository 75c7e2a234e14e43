import type { RevocationEvent } from '@portcullis/contracts/revocations'
import { type CursorPart, cursorPart, cursorParts } from '../cursor.js'
import type { Registry } from '../registry.js'
import { selectorOf } from '../revocations/receipt-record.js'
import { guard } from '../run.js'

/** Events after a cursor, in the order of their commits, and the position after the last of them. */
export interface FeedRead {
  cursor: string
  revocations: RevocationEvent[]
}

/**
 * Reads on from a cursor; at most `limit` events of each partition, so read on until none come.
 * While a partition does not answer the others' events are given all the same, and when they have none
 * this throws.
 *
 * `lost` when it cannot be said for certain what followed the cursor: it is malformed or of another
 * number of partitions; it lies ahead of the feed, or the feed has another event in its place (the
 * feed went backwards, as after the restore of a backup); or what followed it has been trimmed.
 */
export async function readFeed(
  registry: Registry,
  cursor: string,
  limit: number,
): Promise<FeedRead | 'lost'> {
  const parts = cursorParts(cursor)
  if (parts === undefined || parts.length !== registry.partitions) {
    return 'lost'
  }
  const reads = await Promise.all(
    parts.map((part, partition) =>
      readPartition(registry, partition, part, limit).catch((error): PartitionRead => {
        return { last: part.id, events: [], error }
      }),
    ),
  )
  const read = reads.filter((one) => one !== 'lost')
  if (read.length < reads.length) {
    return 'lost'
  }
  const events = read.flatMap((one) => one.events)
  const failed = read.find(({ error }) => error !== undefined)
  if (failed !== undefined && events.length === 0) {
    throw failed.error
  }
  return {
    cursor: read.map((one) => one.last).join(','),
    // A stable sort: within a partition the microseconds only rise.
    revocations: events.sort((a, b) => a.us - b.us).map(({ event }) => event),
  }
}

interface PartitionRead {
  last: string
  events: { us: number; event: RevocationEvent }[]
  /** Why the partition did not answer. */
  error?: unknown
}

async function readPartition(
  { redis, keys }: Registry,
  partition: number,
  from: CursorPart,
  limit: number,
): Promise<PartitionRead | 'lost'> {
  // From the cursor's own event on, or from whatever has its number now.
  const entries = await guard(
    redis.xrange(keys.feed(partition), from.sequence, '+', 'COUNT', limit + 1),
  )
  if (entries.length === 0) {
    // Trimming leaves the last event, so an empty feed never had one.
    return from.id === '0-0' ? { last: from.id, events: [] } : 'lost'
  }
  const events: PartitionRead['events'] = []
  let last = from.id
  const following = entries[0]?.[0] === from.id ? entries.slice(1) : entries.slice(0, limit)
  for (const [id, fields] of following) {
    const entry = entryOf(id, fields)
    // Each event names the one before it. This alone shows that none is missing: the cursor's own
    // may have been trimmed, as long as the one that follows it is there and names it.
    if (entry.previous !== last) {
      return 'lost'
    }
    events.push(entry)
    last = id
  }
  return { last, events }
}

function entryOf(id: string, fields: readonly string[]) {
  const values = new Map<string, string>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    values.set(fields[i] ?? '', fields[i + 1] ?? '')
  }
  const us = cursorPart(id)?.us ?? 0
  return {
    us,
    previous: values.get('previous'),
    event: {
      id: values.get('id') ?? '',
      at: Math.floor(us / 1000),
      selector: selectorOf(values.get('selector')),
      cutoffUs: Number(values.get('cutoffUs')),
    },
  }
}
