import { script } from '@portcullis/redis'
import { isEverywhere } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { type NodeInstance, partName } from './record.js'

const settleScript = script<string[]>(new URL('./settle-receipt-parts.lua', import.meta.url))

/** What a node has applied in one partition. */
export interface Settlement {
  /** `acked` unless its lease has run out. */
  state?: 'acked' | 'fenced'
  /** Every part up to this microsecond is settled; undefined: every part. */
  appliedUs?: number
  /** Connections that it closed for each revocation that it names. */
  closed: ReadonlyMap<string, number>
  /** Rises with each ack: tells those of {all: true} apart, which has an event in each partition. */
  position: number
}

/**
 * Settles what a node has applied in a partition. The parts are looked up first and settled in a
 * second step; a part is settled once, whoever else settles it meanwhile. `registry.onSettled` hears
 * of those that this has settled.
 */
export async function settle(
  registry: Registry,
  node: NodeInstance,
  partition: number,
  { state = 'acked', appliedUs, closed, position }: Settlement,
): Promise<void> {
  const { redis, keys } = registry
  const part = partName(node)
  // `}` sorts right after `|`: the end of the node's own members.
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
