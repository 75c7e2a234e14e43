import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const hold = script<0 | 1>(new URL('./hold-pusher.lua', import.meta.url))

/**
 * Makes a process the one that pushes to a receiver, for so many milliseconds from now on; 0 gives it
 * up. Two at once would do no harm but to deliver an event twice.
 *
 * @returns whether it is the one
 */
export async function holdEventPusher(
  registry: Registry,
  id: string,
  process: string,
  ms: number,
): Promise<boolean> {
  return (await run(registry, hold, [registry.keys.eventPusher(id)], [process, ms])) === 1
}
