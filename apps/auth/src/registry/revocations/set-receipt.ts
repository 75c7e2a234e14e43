import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const set = script<0 | 1>(new URL('./set-receipt.lua', import.meta.url))

/**
 * Sets fields of a receipt's part after the commit. Returns false when the receipt does not exist.
 */
export async function setReceipt(
  registry: Registry,
  partition: number,
  id: string,
  fields: Readonly<Record<string, number>>,
): Promise<boolean> {
  const key = registry.keys.receipt(partition, id)
  return (await run(registry, set, [key], Object.entries(fields).flat())) === 1
}
