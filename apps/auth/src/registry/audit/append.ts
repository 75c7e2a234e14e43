import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { type AuditRecord, type AuditRetention, auditKinds, kindOf } from './record.js'

const append = script<null>(new URL('./append.lua', import.meta.url))

/** The key of the clock comes before those of the streams, and Lua counts from 1. */
const firstStream = 2

/**
 * Appends entries to the audit log of a partition, in this order, and lets go of those that have become
 * too old or too many. Nothing else in auth removes an entry, and nothing changes one.
 *
 * @throws RegistryError `registry_unavailable`: they may be on record all the same
 */
export async function appendAudit(
  registry: Registry,
  { maxLength, maxAgeMs }: AuditRetention,
  partition: number,
  records: readonly AuditRecord[],
): Promise<void> {
  const { keys, partitions } = registry
  await run(
    registry,
    append,
    [keys.clock(partition), ...auditKinds.map((kind) => keys.audit(partition, kind))],
    [
      Math.ceil(maxLength / partitions),
      maxAgeMs,
      keys.auditNews,
      ...records.flatMap((record) => [
        auditKinds.indexOf(kindOf(record)) + firstStream,
        JSON.stringify(record),
      ]),
    ],
  )
}
