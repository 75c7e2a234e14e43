/** Limits that end a wait before its condition holds. */
export interface WaitLimits {
  /** Each of them ends the wait when it aborts. */
  signals?: readonly AbortSignal[]
  /** The longest wait, in milliseconds; unlimited by default. */
  maxWaitMs?: number
}

/**
 * Lets asynchronous code wait for a condition. Code that changes what a condition reads calls `wake`
 * after the change.
 */
export class Wakeup {
  readonly #waiting = new Set<() => void>()

  /** Makes every waiter check its condition again. */
  wake(): void {
    for (const resume of [...this.#waiting]) {
      resume()
    }
  }

  /** Resolves to true when `condition` holds, or to false when a limit ends the wait first. */
  async until(
    condition: () => boolean,
    { signals = [], maxWaitMs }: WaitLimits = {},
  ): Promise<boolean> {
    let isOver = signals.some(({ aborted }) => aborted)
    let resolveNext = () => {}
    const resume = () => resolveNext()
    const stop = () => {
      isOver = true
      resume()
    }
    const timer = maxWaitMs === undefined ? undefined : setTimeout(stop, maxWaitMs)
    for (const signal of signals) {
      signal.addEventListener('abort', stop)
    }
    this.#waiting.add(resume)
    try {
      while (!condition()) {
        if (isOver) {
          return false
        }
        await new Promise<void>((resolve) => {
          resolveNext = resolve
        })
      }
      return true
    } finally {
      this.#waiting.delete(resume)
      clearTimeout(timer)
      for (const signal of signals) {
        signal.removeEventListener('abort', stop)
      }
    }
  }
}
