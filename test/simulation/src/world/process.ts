import { bootStepMs } from '../production.js'
import type { Random } from './random.js'
import type { Cancel, World } from './world.js'

export interface ProcessOptions {
  name: string
  /** How fast its monotonic clock runs; 1 is true time. */
  rate: number
  /** How far its wall clock is off, in milliseconds. */
  wallOffset: number
}

/** What wall clocks show when the world begins. */
const wallStart = Date.UTC(2030, 0, 1)

/** A timer as production code holds it. */
export class Timer {
  cancel: Cancel = () => undefined
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

/**
 * One operating-system process: a clock of its own, timers, and a state. While it is stopped
 * (SIGSTOP) nothing of it runs, its clocks go on, and what arrives waits. Once it is killed nothing
 * of it ever runs again.
 */
export class Process {
  readonly name: string
  readonly world: World
  /** What `Math.random` and the like give in this process. */
  readonly random: Random
  #state: 'running' | 'stopped' | 'killed' = 'running'
  #lostPower = false
  readonly #rate: number
  readonly #wallOffset: number
  readonly #startedAt: number
  /** Since when the machine is suspended; undefined when it is not. */
  #suspendedAt: number | undefined
  #sleptMs = 0
  /** When the machine has gone on after a suspend. */
  wokeAt = Number.NEGATIVE_INFINITY
  /** What came due while it was stopped: timers, and what arrived. */
  #waiting: (() => void)[] = []
  readonly #onKilled: (() => void)[] = []
  readonly #timers = new WeakSet<() => void>()
  #immediateAt = 0
  /** Is called at the next effect, which then waits until this process goes on. */
  #stopAtEffect: (() => void) | undefined
  /** What it was about to do when it was stopped. */
  #interrupted: (() => void)[] = []

  constructor(world: World, { name, rate, wallOffset }: ProcessOptions) {
    this.world = world
    this.name = name
    this.#rate = rate
    this.#wallOffset = wallOffset
    this.#startedAt = world.now
    this.random = world.random(`process/${name}/${world.processes.length}`)
  }

  get killed(): boolean {
    return this.#state === 'killed'
  }

  /** Its machine does not answer at all. */
  get lostPower(): boolean {
    return this.#lostPower
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Its `performance.now()`: stands still while the machine is suspended. */
  get monotonic(): number {
    const now = this.#suspendedAt ?? this.world.now
    return (now - this.#startedAt - this.#sleptMs) * this.#rate
  }

  /** Goes on while the machine is suspended; in the kernel's steps. */
  get boot(): number {
    return Math.floor(((this.world.now - this.#startedAt) * this.#rate) / bootStepMs) * bootStepMs
  }

  /** Its `Date.now()`. */
  get wall(): number {
    return Math.floor(wallStart + this.world.now + this.#wallOffset)
  }

  note(what: string | (() => string)): void {
    this.world.note(this.name, what)
  }

  /** Something happens to this process after a while of true time. */
  event(afterMs: number, run: () => void): Cancel {
    return this.world.schedule(afterMs, run, this)
  }

  setTimeout(run: () => void, ms: number): Timer {
    const timer = new Timer()
    timer.cancel = this.#timer(run, Math.max(1, ms))
    return timer
  }

  setInterval(run: () => void, ms: number): Timer {
    const timer = new Timer()
    const again = (): void => {
      timer.cancel = this.#timer(
        () => {
          again()
          run()
        },
        Math.max(1, ms),
      )
    }
    again()
    return timer
  }

  /** Runs in the next turn of the event loop; in the order in which they were asked for. */
  setImmediate(run: () => void): Timer {
    const timer = new Timer()
    let cancelled = false
    // A turn takes its time, so that other events fall between two turns.
    const turnMs = this.random.chance(0.1) ? this.random.between(0, 3) : 0.001
    this.#immediateAt = Math.max(this.#immediateAt, this.world.now + turnMs)
    this.world.schedule(
      this.#immediateAt - this.world.now,
      () => {
        if (!cancelled) {
          run()
        }
      },
      this,
    )
    timer.cancel = () => {
      cancelled = true
    }
    return timer
  }

  /** SIGSTOP */
  stop(): void {
    if (this.#state !== 'running') {
      return
    }
    this.#state = 'stopped'
    this.note('is stopped')
  }

  /** The whole machine stands still, and its monotonic clock with it. */
  suspend(): void {
    if (this.#state !== 'running') {
      return
    }
    this.#suspendedAt = this.world.now
    this.stop()
    this.note('is suspended')
  }

  /** Stops between the check of its next effect and the message that has it done. */
  stopAtEffect(stopped: () => void): void {
    this.#stopAtEffect = stopped
  }

  /** Sends the message of an effect that was just checked. */
  sendEffect(send: () => void): void {
    const stopped = this.#stopAtEffect
    if (stopped === undefined || this.#state !== 'running') {
      send()
      return
    }
    this.#stopAtEffect = undefined
    this.stop()
    this.#interrupted.push(send)
    stopped()
  }

  /** SIGCONT: what it was doing is done first. Then what came due happens, timers or arrivals first. */
  resume(): void {
    if (this.#state !== 'stopped') {
      return
    }
    this.#state = 'running'
    if (this.#suspendedAt !== undefined) {
      this.#sleptMs += this.world.now - this.#suspendedAt
      this.#suspendedAt = undefined
      this.wokeAt = this.world.now
    }
    this.note('goes on')
    for (const run of this.#interrupted.splice(0)) {
      this.world.schedule(0, run, this)
    }
    const waiting = this.#waiting
    this.#waiting = []
    const timers = waiting.filter((run) => this.#timers.has(run))
    const arrivals = waiting.filter((run) => !this.#timers.has(run))
    const order = this.random.chance(0.5) ? [...timers, ...arrivals] : [...arrivals, ...timers]
    for (const run of order) {
      this.world.schedule(0, run, this)
    }
  }

  /** SIGKILL; or the whole machine is gone, so that not even its kernel says goodbye. */
  kill(lostPower = false): void {
    if (this.#state === 'killed') {
      return
    }
    this.#state = 'killed'
    this.#lostPower = lostPower
    this.#waiting = []
    this.note(lostPower ? 'loses power' : 'is killed')
    for (const callback of this.#onKilled) {
      callback()
    }
  }

  /** The kernel closes what the process had open. */
  onKilled(callback: () => void): void {
    this.#onKilled.push(callback)
  }

  /** Whether an event may run now; if not, it is kept for later or dropped. */
  admits(run: () => void): boolean {
    if (this.#state === 'stopped') {
      this.#waiting.push(run)
    }
    return this.#state === 'running'
  }

  #timer(run: () => void, ms: number): Cancel {
    let cancelled = false
    const dueAt = this.monotonic + ms
    const sleptBefore = this.#sleptMs
    const due = (): void => {
      if (cancelled) {
        return
      }
      // Timers are of the monotonic clock.
      const leftMs = this.#sleptMs === sleptBefore ? 0 : dueAt - this.monotonic
      if (leftMs <= 0) {
        run()
      } else {
        cancel = this.#timer(run, leftMs)
      }
    }
    this.#timers.add(due)
    let cancel = this.world.schedule(ms / this.#rate, due, this)
    return () => {
      cancelled = true
      cancel()
    }
  }
}
