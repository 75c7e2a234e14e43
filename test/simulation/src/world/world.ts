import type { History } from './history.js'
import { Process } from './process.js'
import { Random } from './random.js'
import { immediately } from './real-time.js'

/** Something that happens at one moment, in one process or in none. */
interface Event {
  readonly at: number
  readonly order: number
  readonly process: Process | undefined
  run: (() => void) | undefined
}

/** Takes an event back that has not happened yet. */
export type Cancel = () => void

export interface WorldOptions {
  seed: string
  history: History
}

/**
 * The clock and the order of everything that happens. An event runs for one process, alone, and all
 * promises that it settles are done before the next one: so whatever production code does belongs
 * to the process whose event runs.
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

  /** Milliseconds since the world began; no process sees this clock. */
  get now(): number {
    return this.#now
  }

  /** The process whose event runs now; undefined when none of the world's events runs. */
  get running(): Process | undefined {
    if (this.#inEvent && this.#running === undefined) {
      throw new Error('production code runs in no process; its clock would be the real one')
    }
    return this.#running
  }

  /** Asks something of a process, on its own clock, in an event of the world. */
  as<Result>(process: Process, ask: () => Result): Result {
    const before = this.#running
    this.#running = process
    try {
      return ask()
    } finally {
      this.#running = before
    }
  }

  /** Random numbers for one purpose, so that what one draws does not change what another gets. */
  random(purpose: string): Random {
    return new Random(`${this.#seed}/${purpose}`)
  }

  /** A new process. Nothing of it runs before an event is scheduled for it. */
  process(name: string, rate = 1, wallOffset = 0): Process {
    const process = new Process(this, { name, rate, wallOffset })
    this.processes.push(process)
    return process
  }

  /** An event of `process`, or of the world outside of all processes. */
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

  /** Ends the run: something is so that must never be. The first one counts. */
  fail(error: Error): void {
    this.#failure ??= error
  }

  /** Runs events until `endMs`. @throws what `fail` was given, or an event has thrown */
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
    // It stays set while the promises that this event settles are done.
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

/** A binary heap, the next event first. */
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
