import { type Disconnect, disconnectCodes } from '@portcullis/protocol'
import type { Member } from './member.js'

const stepMs = 20

export interface DrainOptions {
  /** Time for closing all connections, in milliseconds. */
  overMs: number
  /** Default: 3001, shutdown. */
  disconnect?: Disconnect
  /** Stops before all connections are closed. */
  signal?: AbortSignal
  /** Default: the monotonic clock, in milliseconds. */
  now?: () => number
}

/**
 * Closes every connection with a code, evenly over a time and in random order, so that clients do
 * not all reconnect to the other nodes at once. Each step closes at least one. The clock decides
 * how many are due: a busy node closes more per step instead of taking longer.
 */
export async function drain(
  hub: { members(): Iterable<Pick<Member, 'end'>> },
  {
    overMs,
    disconnect = disconnectCodes.shutdown,
    signal,
    now = () => performance.now(),
  }: DrainOptions,
): Promise<void> {
  const members = shuffled([...hub.members()])
  const { length } = members
  const started = now()
  let done = 0
  while (done < length && signal?.aborted !== true) {
    const share = (now() - started + stepMs) / overMs
    const due = Math.min(length, Math.max(done + 1, Math.ceil(length * share)))
    for (; done < due; done += 1) {
      members[done]?.end(disconnect)
    }
    if (done < length) {
      await new Promise((resolve) => setTimeout(resolve, stepMs))
    }
  }
}

/** Fisher-Yates shuffle, in place. */
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
