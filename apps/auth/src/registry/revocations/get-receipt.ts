import type { Receipt } from '@portcullis/contracts/revocations'
import { revocationNotFound } from '../errors.js'
import { isEverywhere, partitionOfId } from '../ids.js'
import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'
import { type ReceiptPart, receiptOf } from './receipt-record.js'

/**
 * Returns a revocation's receipt in its current state.
 *
 * @throws RegistryError `revocation_not_found`, also when the receipt has expired
 */
export async function getReceipt(registry: Registry, id: string): Promise<Receipt> {
  const receipt = await findReceipt(registry, id)
  if (receipt === undefined) {
    throw revocationNotFound(id)
  }
  return receipt
}

/** Returns the receipt, or undefined when it does not exist. */
export async function findReceipt(registry: Registry, id: string): Promise<Receipt | undefined> {
  const parts = await Promise.all(
    receiptPartitions(registry, id).map((one) => readPart(registry, one, id)),
  )
  return parts.every((part) => part === undefined) ? undefined : receiptOf(id, parts)
}

/** Returns the partitions that have a part of this receipt. */
export function receiptPartitions(registry: Registry, id: string): number[] {
  if (isEverywhere(id)) {
    return partitionsOf(registry)
  }
  const partition = partitionOfId(id, registry.partitions)
  return partition === undefined ? [] : [partition]
}

async function readPart(
  { redis, keys }: Registry,
  partition: number,
  id: string,
): Promise<ReceiptPart | undefined> {
  const fields = await guard(redis.hgetall(keys.receipt(partition, id)))
  return fields['us'] === undefined ? undefined : { us: Number(fields['us']), fields }
}
