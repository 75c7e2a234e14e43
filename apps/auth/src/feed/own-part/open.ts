import { newStats, Watch } from '@portcullis/gate/grants'
import type { FastifyBaseLogger } from 'fastify'
import {
  ackAuthPart,
  joinAuthPart,
  leaseTimes,
  leaveAuthPart,
  newAuthPart,
  type Registry,
  renewAuthPart,
} from '../../registry/index.js'
import { OwnPart, type OwnPartRegistry } from './own-part.js'

/** The watch over callers' grants needs no lease of the whole process: `OwnPart` has one for each partition. */
const noLease = { held: true, leftMs: 0 }

/** Makes this process a part of receipts, and the watch over the grants of its callers. */
export function openOwnPart(
  registry: Registry,
  log: FastifyBaseLogger,
  cursor: string,
): { part: OwnPart; watch: Watch } {
  const watch = new Watch(log, newStats(), noLease)
  const part = new OwnPart({
    registry: ownPartRegistry(registry),
    watch,
    cursor,
    ttlMs: leaseTimes(registry.leaseMs).ttlMs,
    onError: (err) => log.debug({ err }, 'the lease of this instance cannot be renewed'),
  })
  return { part, watch }
}

function ownPartRegistry(registry: Registry): OwnPartRegistry {
  const part = newAuthPart()
  return {
    partitions: registry.partitions,
    join: (partition) => joinAuthPart(registry, partition, part),
    renew: (partition, askedAt) => renewAuthPart(registry, partition, part, askedAt),
    ack: (partition, appliedUs) => ackAuthPart(registry, partition, part, appliedUs),
    leave: () => leaveAuthPart(registry, part),
  }
}
