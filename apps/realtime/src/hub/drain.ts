import { type Disconnect, disconnectCodes } from '@portcullis/protocol'
import type { Hub } from './hub.js'

const stepMs = 20

/**
 * Closes every connection with a code, evenly over `overMs` milliseconds and in random order, so
 * that clients do not all come back to the other nodes in the same instant. Ends early when `signal`
 * is aborted.
 */
export async function drain(
  hub: Hub,
  overMs: number,
  disconnect: Disconnect = disconnectCodes.shutdown,
  signal?: AbortSignal,
): Promise<void> {
  const members = shuffled([...hub.members()])
  const steps = Math.max(1, Math.floor(overMs / stepMs))
  const share = Math.ceil(members.length / steps)
  while (members.length > 0 && signal?.aborted !== true) {
    for (const member of members.splice(-share)) member.end(disconnect)
    if (members.length > 0) await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1))
    const [a, b] = [items[last], items[other]]
    if (a !== undefined && b !== undefined) {
      items[last] = b
      items[other] = a
    }
  }
  return items
}
