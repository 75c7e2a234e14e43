import { script } from '@portcullis/redis'
import { isEverywhere } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { type NodeInstance, partName } from './record.js'

const settleScript = script<string[]>(new URL('./settle-receipt-parts.lua', import.meta.url))

/** The events that a process has applied in one partition. */
export interface Settlement {
  /** `fenced` when its lease has run out. Default: `acked`. */
  state?: 'acked' | 'fenced'
  /** Settles every part up to this microsecond. Default: every part. */
  appliedUs?: number
  /** Connections closed for each revocation that the process names. */
  closed: ReadonlyMap<string, number>
  /**
   * Increases with each ack: distinguishes those of {all: true}, which has an event in each
   * partition.
   */
  position: number
}

/**
 * Settles a process's parts of receipts in a partition. Looks the parts up, then settles them in a
 * second step; each part is settled once, even when several instances do this. Reports the parts
 * that this call has settled to `registry.onSettled`.
 */
export async function settleReceiptParts(
  registry: Registry,
  node: NodeInstance,
  partition: number,
  { state = 'acked', appliedUs, closed, position }: Settlement,
): Promise<void> {
  const { redis, keys } = registry
  const part = partName(node)
  // `}` sorts right after `|`: the end of the process's own members.
  const to = appliedUs === undefined ? `(${part}}` : `(${part}|${padded(appliedUs + 1)}`
  const pending = await guard(redis.zrangebylex(keys.pending(partition), `[${part}|`, to))
  const settled = pending.map((member) => member.slice(member.lastIndexOf('|') + 1))
  const ids = [...new Set([...settled, ...closed.keys()])]
  const due = new Set(settled)
  const settledUs = await run(
    registry,
    settleScript,
    [
      keys.clock(partition),
      keys.pending(partition),
      keys.pendingTimes(partition),
      ...ids.map((id) => keys.receipt(partition, id)),
    ],
    [
      node.node,
      node.instance,
      keys.acknowledgements,
      state === 'fenced' ? 'fenced ' : '',
      ...ids.flatMap((id) => [
        id,
        due.has(id) ? 1 : 0,
        closed.get(id) ?? '',
        isEverywhere(id) ? `@${position}` : '',
      ]),
    ],
  )
  registry.onSettled?.(
    state,
    settledUs.map((us) => Number(us) / 1000),
  )
}

function padded(us: number): string {
  return String(us).padStart(16, '0')
}
