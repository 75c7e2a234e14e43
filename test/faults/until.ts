import { setTimeout as delay } from 'node:timers/promises'

/** How long anything here may take: a machine with other work on it is slow, not wrong. */
const patienceMs = 20_000

/**
 * Asks again and again until there is an answer: for what tells no event, such as a line in a log.
 * Rejects, with what was waited for, when none has come in time.
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined> | Answer | undefined,
): Promise<Answer> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined) {
      return answer
    }
    await delay(20)
  }
  throw new Error(`waited ${patienceMs / 1000} s in vain: ${what}`)
}
