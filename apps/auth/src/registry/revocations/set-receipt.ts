import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const set = script<0 | 1>(new URL('./set-receipt.lua', import.meta.url))

/** Writes what is learned after the commit into a receipt's part; false when there is none. */
export async function setReceipt(
  registry: Registry,
  partition: number,
  id: string,
  fields: Readonly<Record<string, number>>,
): Promise<boolean> {
  const key = registry.keys.receipt(partition, id)
  return (await run(registry, set, [key], Object.entries(fields).flat())) === 1
}
