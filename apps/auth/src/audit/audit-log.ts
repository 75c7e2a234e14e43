import type { AuditRecord } from '../registry/index.js'

/** Writes the audit log. */
export interface AuditLog {
  /**
   * Adds an entry. Resolves when Redis has it, or when it was passed to `onLost`. Entries of one tick go
   * to Redis together.
   */
  add(record: AuditRecord): Promise<void>
  /** Resolves when every entry added until now is in Redis, or was passed to `onLost`. */
  settled(): Promise<void>
}

export interface AuditLogOptions {
  append: (partition: number, records: readonly AuditRecord[]) => Promise<void>
  partitionOf: (record: AuditRecord) => number
  /** Receives entries that Redis did not take; has to keep them elsewhere. */
  onLost: (records: readonly AuditRecord[], cause: unknown) => void
  /** Entries that may wait for a slow Redis; bounds the memory of a flood. */
  maxWaiting?: number
}

interface Batch {
  records: AuditRecord[]
  settled: Promise<void>
}

const maxBatchLength = 500

/**
 * Opens an audit log. No entry is sent again after an error: Redis may have taken it without a reply, and a
 * duplicate entry would say that the action happened twice.
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
    if (known !== undefined && known.records.length < maxBatchLength) {
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
