import { type AuditAction, type AuditEntry, auditActions } from '@portcullis/contracts/audit'
import { partitionOf } from '../ids.js'
import type { AuditKind } from '../keys.js'
import { unavailable } from '../run.js'

/** An entry before it is appended, which gives it a position and a time. */
export type AuditRecord = Omit<AuditEntry, 'id' | 'at' | 'action'> & { action: AuditAction }

/** How much of the log is kept. */
export interface AuditRetention {
  /** Entries of each kind, over all partitions. */
  maxLength: number
  /** Milliseconds. */
  maxAgeMs: number
}

export function kindOf(record: AuditRecord): AuditKind {
  const { action, result } = record
  if (isAttempt(record)) {
    return 'attempts'
  }
  if (result === 'refused') {
    return 'refusals'
  }
  return auditActions[action] === 'issue' ? 'issues' : 'acts'
}

/** Returns true for a refused request of a caller that was not authenticated. */
export function isAttempt({ result, actor }: AuditRecord): boolean {
  return result === 'refused' && (actor === undefined || actor.claimed === true)
}

/**
 * Returns the partition of an entry: that of its target. So the entry can be written whenever the
 * request could be served, even if other masters of a Cluster are down.
 */
export function auditPartition(record: AuditRecord, partitions: number): number {
  const { target, actor, address = '' } = record
  return partitionOf(target?.identity ?? actor?.identity ?? address, partitions)
}

/** A position in the log of all partitions, by time and then by partition. */
export interface AuditPlace {
  us: number
  partition: number
}

/** An entry and its position. */
export interface PlacedEntry {
  place: AuditPlace
  entry: AuditEntry
}

export function auditPlaceOf(cursor: string): AuditPlace | undefined {
  const [, us, partition] = /^(0|[1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,4})$/.exec(cursor) ?? []
  if (us === undefined || Number(us) > Number.MAX_SAFE_INTEGER) {
    return undefined
  }
  return { us: Number(us), partition: Number(partition) }
}

export function auditCursorOf({ us, partition }: AuditPlace): string {
  return `${us}.${partition}`
}

/** Returns a negative number when `a` comes before `b`. */
export function compareAuditPlaces(a: AuditPlace, b: AuditPlace): number {
  return a.us - b.us || a.partition - b.partition
}

/**
 * Parses an entry.
 *
 * @throws RegistryError `registry_unavailable` when the stored value is malformed
 */
export function placedEntryOf(
  partition: number,
  id: string,
  fields: readonly string[],
): PlacedEntry {
  const place = { us: Number(id.slice(0, id.indexOf('-'))), partition }
  try {
    const record: AuditRecord = JSON.parse(fields[1] ?? '')
    const entry = { id: auditCursorOf(place), at: Math.floor(place.us / 1000), ...record }
    return { place, entry }
  } catch (error) {
    throw unavailable(error)
  }
}
