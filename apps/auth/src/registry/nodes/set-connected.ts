import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import type { NodeInstance } from './record.js'

const set = script<null>(new URL('./set-connected.lua', import.meta.url))

/**
 * Records, for display only, that a node's feed connection is open or has closed. `connection` is a
 * new word without spaces for each connection, so that a late close of an old connection does not
 * hide a new one at another auth instance.
 */
export async function setConnected(
  registry: Registry,
  { node, instance, connection }: NodeInstance & { connection: string },
  connected: boolean,
): Promise<void> {
  const args = [node, instance, connection, connected ? 'open' : 'closed']
  await run(registry, set, [registry.keys.connected], args)
}
