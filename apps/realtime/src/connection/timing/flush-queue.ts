/** Something that has output to hand over once this tick is over. */
export interface Flushable {
  flush(): void
}

/**
 * Collects what has output, and flushes each once per turn of the event loop: all that one read from
 * Redis, or one frame of commands, brings a socket leaves in one write.
 */
export class FlushQueue {
  #dirty: Flushable[] = []

  /** The caller adds itself once, and again only after its `flush` was called. */
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
