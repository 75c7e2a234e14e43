import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { script } from '@portcullis/redis'
import { leaseTimes } from '../lease-times.js'
import { leaveNode } from '../nodes/leave.js'
import { type NodeInstance, partName } from '../nodes/record.js'
import type { AskedAt } from '../nodes/renew-lease.js'
import { settleReceiptParts } from '../nodes/settle-receipt-parts.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const joinScript = script<null>(new URL('./join.lua', import.meta.url))
const renewScript = script<[counted: 0 | 1, end: string, mark: string] | 'not_joined'>(
  new URL('./renew.lua', import.meta.url),
)

/** Starts the name of an auth instance in receipts. Node names cannot start with it. */
const prefix = '(auth)'

/** A renewal of an auth instance's lease in one partition. */
export interface PartRenewal extends AskedAt {
  /** False when revocations that were committed up to `end` wait for this instance. */
  counted: boolean
}

/** Returns a name for this process. `instance` distinguishes processes with the same name. */
export function newAuthPart(): NodeInstance {
  const host = hostname().replace(/[^A-Za-z0-9._-]/g, '-')
  return {
    node: `${prefix}${host}.${process.pid}`.slice(0, 128),
    instance: randomBytes(16).toString('base64url'),
  }
}

/** Returns the shown name of an auth instance, or undefined if the part is a node. */
export function authNameOf(node: string): string | undefined {
  return node.startsWith(prefix) ? node.slice(prefix.length) : undefined
}

/** Makes revocations of a partition wait for this instance. */
export async function joinAuthPart(
  registry: Registry,
  partition: number,
  part: NodeInstance,
): Promise<void> {
  const { keys, leaseMs } = registry
  await run(
    registry,
    joinScript,
    [keys.clock(partition), keys.leases(partition)],
    [partName(part), leaseTimes(leaseMs).fenceMs],
  )
}

/**
 * Renews this instance's lease in one partition; `askedAt` as in `renewLease`. Returns `not_joined`
 * when the partition does not know the instance (any more).
 */
export async function renewAuthPart(
  registry: Registry,
  partition: number,
  part: NodeInstance,
  askedAt: { us: number; run: string } | undefined,
): Promise<PartRenewal | 'not_joined'> {
  const { keys, leaseMs } = registry
  const reply = await run(
    registry,
    renewScript,
    [keys.clock(partition), keys.leases(partition), keys.pending(partition), keys.feed(partition)],
    [partName(part), leaseTimes(leaseMs).fenceMs, askedAt?.us ?? '', askedAt?.run ?? ''],
  )
  if (reply === 'not_joined') {
    return reply
  }
  const [counted, end, mark] = reply
  return { counted: counted === 1, end, run: mark }
}

/** Acknowledges every revocation of one partition committed up to `appliedUs`. */
export async function ackAuthPart(
  registry: Registry,
  partition: number,
  part: NodeInstance,
  appliedUs: number,
): Promise<void> {
  // The metrics of receipts count nodes only.
  const { onSettled, ...quiet } = registry
  await settleReceiptParts(quiet, part, partition, { appliedUs, closed: new Map(), position: 0 })
}

/** Makes revocations no longer wait for this instance. Call it when no request is in progress. */
export async function leaveAuthPart(registry: Registry, part: NodeInstance): Promise<void> {
  await leaveNode(registry, part)
}
