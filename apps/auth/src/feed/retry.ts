import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from '@portcullis/gate/grants'
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
  const backoff = new Backoff(firstWaitMs, maxWaitMs)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error) || signal.aborted) {
        throw error
      }
    }
    await delay(backoff.next(), undefined, { signal }).catch(() => undefined)
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'registry_unavailable'
}
