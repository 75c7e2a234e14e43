import type { RevocationEvent } from '@portcullis/contracts/revocations'
import { type CursorPart, cursorPart, cursorParts } from '../cursor.js'
import type { Registry } from '../registry.js'
import { selectorOf } from '../revocations/receipt-record.js'
import { guard } from '../run.js'

/** Events after a cursor in the order of their commits, and the position after the last of them. */
export interface FeedRead {
  cursor: string
  revocations: RevocationEvent[]
}

/**
 * Reads events after a cursor, up to `limit` of each partition; call again until it returns none.
 * When a partition does not answer, returns the events of the others, and throws when they have
 * none.
 *
 * Returns `lost` when it is uncertain which events followed the cursor: the cursor is malformed or
 * has another number of partitions; it is ahead of the feed, or the feed has another event at its
 * place (the feed went backwards, for example after restoring a backup); or the events after it
 * were trimmed.
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
    // A stable sort: the microseconds of a partition only increase.
    revocations: events.sort((a, b) => a.us - b.us).map(({ event }) => event),
  }
}

interface PartitionRead {
  last: string
  events: { us: number; event: RevocationEvent }[]
  /** The reason why the partition did not answer. */
  error?: unknown
}

async function readPartition(
  { redis, keys }: Registry,
  partition: number,
  from: CursorPart,
  limit: number,
): Promise<PartitionRead | 'lost'> {
  // Starts at the cursor's own event, or at another event with its number.
  const entries = await guard(
    redis.xrange(keys.feed(partition), from.sequence, '+', 'COUNT', limit + 1),
  )
  if (entries.length === 0) {
    // Trimming leaves the last event, so an empty feed never had an event.
    return from.id === '0-0' ? { last: from.id, events: [] } : 'lost'
  }
  const events: PartitionRead['events'] = []
  let last = from.id
  const following = entries[0]?.[0] === from.id ? entries.slice(1) : entries.slice(0, limit)
  for (const [id, fields] of following) {
    const entry = entryOf(id, fields)
    // Each event names the event before it, which alone proves that none is missing. The cursor's
    // own event may have been trimmed, as long as the next one names it.
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
