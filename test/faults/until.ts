import { setTimeout as delay } from 'node:timers/promises'

/** Time limit of every wait, generous for a busy machine. */
const limitMs = 20_000

/**
 * Calls `ask` until it returns a value: for states without an event, such as a line in a log. Rejects
 * with `what` at the time limit.
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined> | Answer | undefined,
): Promise<Answer> {
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined) {
      return answer
    }
    await delay(20)
  }
  throw new Error(`not within ${limitMs / 1000} s: ${what}`)
}
