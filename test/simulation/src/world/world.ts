import type { History } from './history.js'
import { Process } from './process.js'
import { Random } from './random.js'
import { immediately } from './real-time.js'

/** An event at one moment, of one process or of no process. */
interface Event {
  readonly at: number
  readonly order: number
  readonly process: Process | undefined
  run: (() => void) | undefined
}

/** Cancels an event. */
export type Cancel = () => void

export interface WorldOptions {
  seed: string
  history: History
}

/**
 * The true clock, and the queue of events. Each event runs for one process, and the promises that it
 * settles are done before the next event. So production code always runs for the process of the event.
 */
export class World {
  readonly history: History
  readonly processes: Process[] = []
  readonly #seed: string
  readonly #heap: Event[] = []
  #order = 0
  #now = 0
  #running: Process | undefined
  #inEvent = false
  #failure: Error | undefined

  constructor({ seed, history }: WorldOptions) {
    this.#seed = seed
    this.history = history
  }

  /** True time in milliseconds since the start of the world. No process sees this clock. */
  get now(): number {
    return this.#now
  }

  /** The process whose event runs now; undefined outside of events. */
  get running(): Process | undefined {
    if (this.#inEvent && this.#running === undefined) {
      throw new Error('production code runs outside of a process, and would use the real clock')
    }
    return this.#running
  }

  /** Calls a function on the clocks of a process, during an event of the world. */
  as<Result>(process: Process, ask: () => Result): Result {
    const before = this.#running
    this.#running = process
    try {
      return ask()
    } finally {
      this.#running = before
    }
  }

  /** Returns random numbers for one purpose, which do not depend on the draws of other purposes. */
  random(purpose: string): Random {
    return new Random(`${this.#seed}/${purpose}`)
  }

  /** Creates a process. It runs only in events. */
  process(name: string, rate = 1, wallOffset = 0): Process {
    const process = new Process(this, { name, rate, wallOffset })
    this.processes.push(process)
    return process
  }

  /** Schedules an event of `process`, or of the world outside of every process. */
  schedule(afterMs: number, run: () => void, process?: Process): Cancel {
    const at = this.#now + Math.max(0, afterMs)
    const event: Event = { at, order: this.#order++, process, run }
    push(this.#heap, event)
    return () => {
      event.run = undefined
    }
  }

  note(who: string, what: string | (() => string)): void {
    this.history.note(this.#now, who, what)
  }

  /** Ends the run with this error, unless the run has failed before. */
  fail(error: Error): void {
    this.#failure ??= error
  }

  /** Runs events until `endMs`. @throws the error of `fail`, or of an event */
  run(endMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): boolean => {
        if (this.#failure !== undefined) {
          return false
        }
        const next = this.#heap[0]
        if (next === undefined || next.at > endMs) {
          return false
        }
        pop(this.#heap)
        this.#now = next.at
        this.#handle(next)
        return true
      }
      const idle = (): void => {
        this.#running = undefined
        this.#inEvent = false
      }
      immediately(step, idle, () => {
        if (this.#failure !== undefined) {
          reject(this.#failure)
        } else {
          this.#now = endMs
          resolve()
        }
      })
    })
  }

  #handle({ process, run }: Event): void {
    if (run === undefined) {
      return
    }
    if (process === undefined) {
      this.#call(undefined, run)
    } else if (process.admits(run)) {
      this.#call(process, run)
    }
  }

  #call(process: Process | undefined, run: () => void): void {
    // Stays set while the promises of this event settle.
    this.#running = process
    this.#inEvent = true
    try {
      run()
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Adds to a binary heap whose first element is the next event. */
function push(heap: Event[], event: Event): void {
  let at = heap.length
  heap.push(event)
  while (at > 0) {
    const parentAt = (at - 1) >> 1
    const parent = heap[parentAt]
    if (parent === undefined || before(parent, event)) {
      break
    }
    heap[at] = parent
    at = parentAt
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) {
    return
  }
  let at = 0
  for (;;) {
    let childAt = 2 * at + 1
    let child = heap[childAt]
    if (child === undefined) {
      break
    }
    const other = heap[childAt + 1]
    if (other !== undefined && before(other, child)) {
      child = other
      childAt += 1
    }
    if (before(last, child)) {
      break
    }
    heap[at] = child
    at = childAt
  }
  heap[at] = last
}
