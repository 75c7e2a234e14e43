export interface FairQueueOptions {
  /** Maximum weight of all jobs in flight. */
  maxInFlight: number
  /** Maximum weight of one caller's jobs in flight. */
  maxPerCaller: number
  /** Maximum time for starting jobs in one turn of the event loop, in milliseconds. */
  maxSliceMs: number
}

interface Job {
  weight: number
  run(): Promise<void>
}

interface CallerJobs {
  readonly waiting: Job[]
  inFlight: number
}

/**
 * Bounds the jobs in flight, in total and for each caller. Callers with waiting jobs take turns, so
 * a caller with many jobs does not delay the others. Jobs start in short slices, between which the
 * event loop handles other work, such as renewing the lease.
 *
 * Callers bound the number of their waiting jobs. A job heavier than a bound runs alone.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  /** In the order of their turns. */
  readonly #callers = new Map<string, CallerJobs>()
  #inFlight = 0
  #sliceStart: number | undefined

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  /** Number of jobs waiting or in flight, when each weighs 1. */
  get size(): number {
    let size = 0
    for (const { waiting, inFlight } of this.#callers.values()) {
      size += waiting.length + inFlight
    }
    return size
  }

  /** Number of one caller's jobs waiting or in flight, when each weighs 1. */
  sizeOf(caller: string): number {
    const { waiting = [], inFlight = 0 } = this.#callers.get(caller) ?? {}
    return waiting.length + inFlight
  }

  /** Runs `work` in this caller's turn and settles as `work` does. */
  run<Result>(caller: string, weight: number, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const job = {
        weight,
        run: async () => {
          try {
            resolve(await work())
          } catch (error) {
            reject(error)
          }
        },
      }
      const known = this.#callers.get(caller)
      if (known === undefined) {
        this.#callers.set(caller, { waiting: [job], inFlight: 0 })
      } else {
        known.waiting.push(job)
      }
      this.#startJobs()
    })
  }

  #startJobs(): void {
    for (;;) {
      const next = this.#next()
      if (next === undefined || this.#isSliceOver()) {
        return
      }
      const [name, caller, job] = next
      caller.waiting.shift()
      caller.inFlight += job.weight
      this.#inFlight += job.weight
      // Moves the caller to the end of the turns.
      this.#callers.delete(name)
      this.#callers.set(name, caller)
      void job.run().finally(() => {
        caller.inFlight -= job.weight
        this.#inFlight -= job.weight
        if (caller.inFlight === 0 && caller.waiting.length === 0) {
          this.#callers.delete(name)
        }
        this.#startJobs()
      })
    }
  }

  /**
   * Returns the next job of the first caller below its bound; undefined when no job may start now.
   */
  #next(): [name: string, caller: CallerJobs, job: Job] | undefined {
    const { maxInFlight, maxPerCaller } = this.#options
    for (const [name, caller] of this.#callers) {
      const [job] = caller.waiting
      if (job === undefined) {
        continue
      }
      if (caller.inFlight > 0 && caller.inFlight + job.weight > maxPerCaller) {
        continue
      }
      // Lighter jobs must not overtake this one, or it might never start.
      const fits = this.#inFlight === 0 || this.#inFlight + job.weight <= maxInFlight
      return fits ? [name, caller, job] : undefined
    }
    return undefined
  }

  #isSliceOver(): boolean {
    if (this.#sliceStart === undefined) {
      this.#sliceStart = performance.now()
      setImmediate(() => {
        this.#sliceStart = undefined
        this.#startJobs()
      })
      return false
    }
    return performance.now() - this.#sliceStart >= this.#options.maxSliceMs
  }
}
