export interface FairQueueOptions {
  /** Weight of all work under way. */
  maxUnderWay: number
  /** Weight of one caller's work under way. */
  maxPerCaller: number
  /** Milliseconds for which work is begun in one turn of the event loop. */
  maxSliceMs: number
}

interface Job {
  weight: number
  run(): Promise<void>
}

interface Caller {
  readonly waiting: Job[]
  underWay: number
}

/**
 * Bounds how much work is under way, in all and for each caller. Callers whose work waits take turns,
 * so one with much to do does not delay the others. Work is begun in short slices: between them the
 * event loop serves everything else, also the lease.
 *
 * Whoever queues bounds how many of its jobs wait. A job that is heavier than a bound runs alone.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  /** In the order of their turns. */
  readonly #callers = new Map<string, Caller>()
  #underWay = 0
  #sliceBegan: number | undefined

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  /** Jobs that wait or are under way. */
  get size(): number {
    let size = 0
    for (const { waiting, underWay } of this.#callers.values()) {
      size += waiting.length + underWay
    }
    return size
  }

  /** Jobs of one caller that wait or are under way, when each weighs 1. */
  sizeOf(caller: string): number {
    const { waiting = [], underWay = 0 } = this.#callers.get(caller) ?? {}
    return waiting.length + underWay
  }

  /** Runs `work` in this caller's turn; settles as it does. */
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
        this.#callers.set(caller, { waiting: [job], underWay: 0 })
      } else {
        known.waiting.push(job)
      }
      this.#begin()
    })
  }

  #begin(): void {
    for (;;) {
      const next = this.#next()
      if (next === undefined || this.#isSliceOver()) {
        return
      }
      const [name, caller, job] = next
      caller.waiting.shift()
      caller.underWay += job.weight
      this.#underWay += job.weight
      // The last in turn from here on.
      this.#callers.delete(name)
      this.#callers.set(name, caller)
      void job.run().finally(() => {
        caller.underWay -= job.weight
        this.#underWay -= job.weight
        if (caller.underWay === 0 && caller.waiting.length === 0) {
          this.#callers.delete(name)
        }
        this.#begin()
      })
    }
  }

  /** The first job in turn whose caller has not enough under way; undefined when none fits now. */
  #next(): [name: string, caller: Caller, job: Job] | undefined {
    const { maxUnderWay, maxPerCaller } = this.#options
    for (const [name, caller] of this.#callers) {
      const [job] = caller.waiting
      if (job === undefined) {
        continue
      }
      if (caller.underWay > 0 && caller.underWay + job.weight > maxPerCaller) {
        continue
      }
      // Lighter jobs must not pass this one for ever: all wait until there is room for it.
      const fits = this.#underWay === 0 || this.#underWay + job.weight <= maxUnderWay
      return fits ? [name, caller, job] : undefined
    }
    return undefined
  }

  #isSliceOver(): boolean {
    if (this.#sliceBegan === undefined) {
      this.#sliceBegan = performance.now()
      setImmediate(() => {
        this.#sliceBegan = undefined
        this.#begin()
      })
      return false
    }
    return performance.now() - this.#sliceBegan >= this.#options.maxSliceMs
  }
}
