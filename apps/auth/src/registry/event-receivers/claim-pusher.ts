import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const claim = script<0 | 1>(new URL('./claim-pusher.lua', import.meta.url))

/**
 * Makes a process the one that pushes to a receiver for `ms` milliseconds, or extends that time; 0
 * gives it up. If two processes pushed at once, events could be delivered twice.
 *
 * @returns true when the process is the one that pushes
 */
export async function claimEventPusher(
  registry: Registry,
  id: string,
  process: string,
  ms: number,
): Promise<boolean> {
  return (await run(registry, claim, [registry.keys.eventPusher(id)], [process, ms])) === 1
}
