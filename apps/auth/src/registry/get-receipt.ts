import type { Receipt } from '@portcullis/contracts'
import { revocationNotFound } from './errors.js'
import { isEverywhere, partitionOfId } from './ids.js'
import { type ReceiptPart, receiptOf } from './receipt-record.js'
import { partitionsOf, type Registry } from './registry.js'
import { guard } from './run.js'

/**
 * A revocation's receipt as it stands now.
 *
 * @throws RegistryError `revocation_not_found`, also when it is older than receipts are kept
 */
export async function getReceipt(registry: Registry, id: string): Promise<Receipt> {
  const receipt = await findReceipt(registry, id)
  if (receipt === undefined) throw revocationNotFound(id)
  return receipt
}

/** The receipt, or undefined when there is none. */
export async function findReceipt(registry: Registry, id: string): Promise<Receipt | undefined> {
  const partition = partitionOfId(id, registry.partitions)
  const partitions = isEverywhere(id)
    ? partitionsOf(registry)
    : partition === undefined
      ? []
      : [partition]
  const parts = await Promise.all(partitions.map((one) => readPart(registry, one, id)))
  return parts.every((part) => part === undefined) ? undefined : receiptOf(id, parts)
}

async function readPart(
  { redis, keys }: Registry,
  partition: number,
  id: string,
): Promise<ReceiptPart | undefined> {
  const fields = await guard(redis.hgetall(keys.receipt(partition, id)))
  return fields['us'] === undefined ? undefined : { us: Number(fields['us']), fields }
}
