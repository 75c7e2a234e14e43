/** Has output to write at the end of this tick. */
export interface Flushable {
  flush(): void
}

/**
 * Flushes each item once per turn of the event loop, so that all output that one read from Redis, or
 * one frame of commands, causes for a socket leaves in one write.
 */
export class FlushQueue {
  #dirty: Flushable[] = []

  /** An item must not be added again before its `flush` was called. */
  add(item: Flushable): void {
    if (this.#dirty.push(item) === 1) {
      setImmediate(() => this.#run())
    }
  }

  #run(): void {
    const dirty = this.#dirty
    this.#dirty = []
    for (const item of dirty) {
      item.flush()
    }
  }
}
