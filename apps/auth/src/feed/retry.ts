import { setTimeout as delay } from 'node:timers/promises'
import { RegistryError } from '../registry/index.js'

const firstWaitMs = 50
const maxWaitMs = 2000

/**
 * Repeats `work` with growing waits while the registry is unavailable. Any other error, or one after
 * `signal` has aborted, is thrown.
 */
export async function retryWhileUnavailable<Result>(
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error) || signal.aborted) {
        throw error
      }
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'registry_unavailable'
}
