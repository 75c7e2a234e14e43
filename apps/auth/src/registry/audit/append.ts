import { script } from '@portcullis/redis'
import { auditKinds } from '../keys.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { type AuditRecord, type AuditRetention, kindOf } from './record.js'

const append = script<null>(new URL('./append.lua', import.meta.url))

/** The index of the first stream in the script's KEYS. */
const firstStream = 2

/**
 * Appends entries to the audit log of a partition, in this order, and removes entries that exceed
 * the retention. No other code of auth removes an entry, and none changes one.
 *
 * @throws RegistryError `registry_unavailable`; the entries may have been written nevertheless
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
