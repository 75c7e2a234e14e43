import type { Command } from 'ioredis'

/** Least time between two measurements, in milliseconds. */
const everyMs = 50

/** Measures how long a few commands take, one at a time, so that the others cost nothing. */
export class ReplySampler {
  readonly #observe: (ms: number) => void
  #isMeasuring = false
  #nextAt = 0

  constructor(observe: (ms: number) => void) {
    this.#observe = observe
  }

  /** Call with a command that is sent on a ready connection. */
  sent(command: Pick<Command, 'promise'>): void {
    if (this.#isMeasuring) {
      return
    }
    const sentAt = performance.now()
    if (sentAt < this.#nextAt) {
      return
    }
    this.#isMeasuring = true
    const done = () => {
      const now = performance.now()
      this.#isMeasuring = false
      this.#nextAt = now + everyMs
      this.#observe(now - sentAt)
    }
    command.promise.then(done, done)
  }
}
