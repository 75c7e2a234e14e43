import { type AuditAction, type AuditEntry, auditActions } from '@portcullis/contracts/audit'
import { partitionOf } from '../ids.js'
import { unavailable } from '../run.js'

/** An entry as it is appended; its place and its time come with that. */
export type AuditRecord = Omit<AuditEntry, 'id' | 'at' | 'action'> & { action: AuditAction }

/**
 * Entries are kept in four streams, each with its own bound: nothing that anyone may try pushes out what
 * known callers were refused, and neither that nor what backends do all day pushes out what
 * administrators have done.
 */
export const auditKinds = ['acts', 'issues', 'refusals', 'attempts'] as const
export type AuditKind = (typeof auditKinds)[number]

/** How much of the log is kept. */
export interface AuditRetention {
  /** Entries of each kind, in all partitions together. */
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

/** Whether an entry is about a refused request whose caller has proven nothing. */
export function isAttempt({ result, actor }: AuditRecord): boolean {
  return result === 'refused' && (actor === undefined || actor.claimed === true)
}

/**
 * Where an entry lies: where that lies which was acted upon. So it can be written whenever the act could
 * be done, whatever other masters of a Cluster are away.
 */
export function auditPartition(record: AuditRecord, partitions: number): number {
  const { target, actor, address = '' } = record
  return partitionOf(target?.identity ?? actor?.identity ?? address, partitions)
}

/** A place in the log of all partitions: by time, and where two partitions share it by partition. */
export interface AuditPlace {
  us: number
  partition: number
}

/** An entry in its place. */
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

/** Negative when the first lies before the second. */
export function compareAuditPlaces(a: AuditPlace, b: AuditPlace): number {
  return a.us - b.us || a.partition - b.partition
}

/** @throws RegistryError `registry_unavailable` when what is stored is no entry: someone else wrote there */
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
