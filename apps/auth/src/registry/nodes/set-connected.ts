import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import type { NodeInstance } from './record.js'

const set = script<null>(new URL('./set-connected.lua', import.meta.url))

/**
 * Notes for people that a node's feed connection is open, or has closed. `connection` is a word
 * without spaces, new for each connection: the close of an old one, noticed late, does not hide
 * that the node is back at another auth instance. No receipt is decided by this.
 */
export async function setConnected(
  registry: Registry,
  { node, instance, connection }: NodeInstance & { connection: string },
  connected: boolean,
): Promise<void> {
  const args = [node, instance, connection, connected ? 'open' : 'closed']
  await run(registry, set, [registry.keys.connected], args)
}
