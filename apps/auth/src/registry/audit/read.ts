import { script } from '@portcullis/redis'
import { type AuditKind, auditKinds } from '../keys.js'
import { partitionsOf, type Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { type AuditPlace, compareAuditPlaces, type PlacedEntry, placedEntryOf } from './record.js'

const end = script<string>(new URL('./end.lua', import.meta.url))

/**
 * Returns the microsecond before which the audit log is complete. Readers stop there, so that they
 * do not skip an entry whose master's clock is behind another's.
 */
export async function auditEnd(registry: Registry): Promise<number> {
  const ends = await Promise.all(
    partitionsOf(registry).map((partition) =>
      run(registry, end, [registry.keys.clock(partition)], []),
    ),
  )
  return Math.min(...ends.map(Number)) + 1
}

export interface AuditRange {
  order: 'newest first' | 'oldest first'
  /** Starts behind this position, in that order. */
  after: AuditPlace | undefined
  /** Microseconds, inclusive. */
  fromUs: number
  /** Microseconds, exclusive. */
  toUs: number
  kinds?: readonly AuditKind[]
  /** How many entries to read at most. */
  limit: number
}

/**
 * Returns the entries of all partitions in one order; fewer than `limit` when the range has no
 * more.
 */
export async function readAudit(registry: Registry, range: AuditRange): Promise<PlacedEntry[]> {
  const { kinds = auditKinds, limit, order } = range
  const lists = await Promise.all(
    partitionsOf(registry).flatMap((partition) =>
      kinds.map((kind) => readStream(registry, partition, kind, range)),
    ),
  )
  const sign = order === 'oldest first' ? 1 : -1
  return lists
    .flat()
    .sort((a, b) => sign * compareAuditPlaces(a.place, b.place))
    .slice(0, limit)
}

async function readStream(
  { redis, keys }: Registry,
  partition: number,
  kind: AuditKind,
  { order, after, fromUs, toUs, limit }: AuditRange,
): Promise<PlacedEntry[]> {
  const key = keys.audit(partition, kind)
  const oldestFirst = order === 'oldest first'
  let first = fromUs
  let last = toUs - 1
  // A position orders the partitions that share its microsecond.
  if (after !== undefined && oldestFirst) {
    first = Math.max(first, partition > after.partition ? after.us : after.us + 1)
  }
  if (after !== undefined && !oldestFirst) {
    last = Math.min(last, partition < after.partition ? after.us : after.us - 1)
  }
  if (first > last) {
    return []
  }
  const entries = await guard(
    oldestFirst
      ? redis.xrange(key, first, last, 'COUNT', limit)
      : redis.xrevrange(key, last, first, 'COUNT', limit),
  )
  return entries.map(([id, fields]) => placedEntryOf(partition, id, fields))
}
