import { setTimeout as delay } from 'node:timers/promises'

/** Does `work` again, ever more slowly, while its error is `transient` and `signal` is not aborted. */
export async function retry<Result>(
  transient: (error: unknown) => boolean,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2000)) {
    try {
      return await work()
    } catch (error) {
      if (!transient(error) || signal.aborted) {
        throw error
      }
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}
