/** Stops one thing; called once. */
export type Stop = () => Promise<void> | void

/**
 * Everything that a benchmark has started. `close` stops all of it, the latest first, also when the
 * benchmark fails or is interrupted.
 */
export class Stage {
  readonly #stops: Stop[] = []
  #closing: Promise<void> | undefined

  /** Registers how to stop something that has just started; stops it at once when the stage is closed. */
  async add(stop: Stop): Promise<void> {
    if (this.#closing === undefined) {
      this.#stops.push(stop)
      return
    }
    await stop()
    throw new Error('interrupted')
  }

  /** Stops everything, even when some stops fail. */
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
      throw new AggregateError(failures, 'some processes could not be stopped')
    }
  }
}
