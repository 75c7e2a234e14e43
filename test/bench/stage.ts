/** Stops one thing; called once. */
export type Stop = () => Promise<void> | void

/**
 * Everything that a benchmark has started. Closing it stops all of it, the latest first, also when
 * the benchmark fails in the middle or is interrupted.
 */
export class Stage {
  readonly #stops: Stop[] = []
  #closing: Promise<void> | undefined

  /** Keeps how to stop what has just started. On a closed stage it is stopped at once. */
  async add(stop: Stop): Promise<void> {
    if (this.#closing === undefined) {
      this.#stops.push(stop)
      return
    }
    await stop()
    throw new Error('interrupted')
  }

  /** Stops everything, whatever fails on the way. */
  close(): Promise<void> {
    this.#closing ??= this.#stopAll()
    return this.#closing
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = []
    for (const stop of this.#stops.reverse()) {
      try {
        await stop()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, 'not everything could be stopped')
    }
  }
}
