import {
  ackAuthPart,
  joinAuthPart,
  leaveAuthPart,
  newAuthPart,
  type PartRenewal,
  type Registry,
  renewAuthPart,
} from '../../registry/index.js'

/** The registry's operations for this process as a part of receipts; see `registry/auth-part/`. */
export interface OwnPartRegistry {
  readonly partitions: number
  join(partition: number): Promise<void>
  renew(
    partition: number,
    askedAt: { us: number; run: string } | undefined,
  ): Promise<PartRenewal | 'not_joined'>
  /** Acknowledges everything that was committed up to this microsecond. */
  ack(partition: number, appliedUs: number): Promise<void>
  leave(): Promise<void>
}

/** Binds these operations to a registry, under a new instance id. */
export function ownPartRegistry(registry: Registry): OwnPartRegistry {
  const part = newAuthPart()
  return {
    partitions: registry.partitions,
    join: (partition) => joinAuthPart(registry, partition, part),
    renew: (partition, askedAt) => renewAuthPart(registry, partition, part, askedAt),
    ack: (partition, appliedUs) => ackAuthPart(registry, partition, part, appliedUs),
    leave: () => leaveAuthPart(registry, part),
  }
}
