import type { AuditRecord } from '../registry/index.js'

/** Where the audit log is written, through this process. */
export interface AuditLog {
  /**
   * Resolves when the entry is on record, or when `onLost` has it. Entries of one tick go to Redis
   * together.
   */
  add(record: AuditRecord): Promise<void>
  /** Resolves when that is so of all entries added until now. */
  settled(): Promise<void>
}

export interface AuditLogOptions {
  append: (partition: number, records: readonly AuditRecord[]) => Promise<void>
  partitionOf: (record: AuditRecord) => number
  /** Has to keep what Redis did not take. */
  onLost: (records: readonly AuditRecord[], cause: unknown) => void
  /** Entries that may wait for Redis, so that a flood of them costs no memory when it is slow. */
  maxWaiting?: number
}

interface Batch {
  records: AuditRecord[]
  settled: Promise<void>
}

const batchSize = 500

/**
 * Nothing is sent twice: Redis may have taken what it did not confirm, and an entry that is in the log
 * twice says that something was done twice.
 */
export function openAuditLog({
  append,
  partitionOf,
  onLost,
  maxWaiting = 10_000,
}: AuditLogOptions): AuditLog {
  const collecting = new Map<number, Batch>()
  const unsettled = new Set<Promise<void>>()
  let waiting = 0

  async function send(partition: number, batch: Batch): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (collecting.get(partition) === batch) {
      collecting.delete(partition)
    }
    await append(partition, batch.records).catch((cause) => onLost(batch.records, cause))
    waiting -= batch.records.length
    unsettled.delete(batch.settled)
  }

  function batchFor(partition: number): Batch {
    const known = collecting.get(partition)
    if (known !== undefined && known.records.length < batchSize) {
      return known
    }
    const batch: Batch = { records: [], settled: Promise.resolve() }
    collecting.set(partition, batch)
    batch.settled = send(partition, batch)
    unsettled.add(batch.settled)
    return batch
  }

  return {
    add(record) {
      if (waiting >= maxWaiting) {
        onLost([record], new Error(`${maxWaiting} entries wait for Redis`))
        return Promise.resolve()
      }
      waiting += 1
      const batch = batchFor(partitionOf(record))
      batch.records.push(record)
      return batch.settled
    },
    async settled() {
      await Promise.all(unsettled)
    },
  }
}
