import type { Ack } from '@portcullis/contracts/feed'
import { cursorParts } from '../cursor.js'
import { badCursor } from '../errors.js'
import { isEverywhere, partitionOfId } from '../ids.js'
import { partitionsOf, type Registry } from '../registry.js'
import type { NodeInstance } from './record.js'
import { settleReceiptParts } from './settle-receipt-parts.js'

/**
 * Records that a node has applied every event up to `cursor`, and how many connections it closed for
 * each revocation that it names. Acknowledges every part that waits for the node up to the cursor, also
 * parts that it does not name: a node that has introspected all its tokens again does not know which
 * events it missed. Repeating the call changes nothing.
 *
 * Also accepts acknowledgements of a process that has lost its name or was forgotten.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function ackRevocations(
  registry: Registry,
  node: NodeInstance,
  revocations: Ack['revocations'],
  cursor: Ack['cursor'],
): Promise<void> {
  const applied = cursorParts(cursor)
  if (applied === undefined || applied.length !== registry.partitions) {
    throw badCursor()
  }
  const closed = countsByPartition(registry, revocations)
  const position = applied.reduce((sum, { sequence }) => sum + sequence, 0)
  await Promise.all(
    partitionsOf(registry).map((partition) =>
      settleReceiptParts(registry, node, partition, {
        appliedUs: applied[partition]?.us ?? 0,
        closed: closed.get(partition) ?? new Map(),
        position,
      }),
    ),
  )
}

/**
 * Returns the connections closed, by the partition whose receipt stores them; for {all: true} the
 * first.
 */
function countsByPartition(
  { partitions }: Registry,
  revocations: Ack['revocations'],
): Map<number, Map<string, number>> {
  const counts = new Map<number, Map<string, number>>()
  for (const { id, connectionsClosed } of revocations) {
    const partition = isEverywhere(id) ? 0 : partitionOfId(id, partitions)
    if (partition === undefined) {
      continue
    }
    const ids = counts.get(partition) ?? new Map<string, number>()
    counts.set(partition, ids.set(id, (ids.get(id) ?? 0) + connectionsClosed))
  }
  return counts
}
