import { bootStepMs } from '../production.js'
import type { Random } from './random.js'
import type { Cancel, World } from './world.js'

export interface ProcessOptions {
  name: string
  /** How fast its monotonic clock runs; 1 is true time. */
  rate: number
  /** Error of its wall clock, in milliseconds. */
  wallOffset: number
}

/** Wall time at the start of the world. */
const wallStart = Date.UTC(2030, 0, 1)

/** A timer that production code may keep. */
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
 * An operating-system process with its own clocks and timers. While the process is stopped (SIGSTOP), its
 * clocks advance, and timers and arrivals wait. After a kill, it runs no further event.
 */
export class Process {
  readonly name: string
  readonly world: World
  /** The source of `Math.random` and `randomBytes` in this process. */
  readonly random: Random
  #state: 'running' | 'stopped' | 'killed' = 'running'
  #lostPower = false
  readonly #rate: number
  readonly #wallOffset: number
  readonly #startedAt: number
  /** When the machine was suspended; undefined while it runs. */
  #suspendedAt: number | undefined
  #sleptMs = 0
  /** When the machine last woke up from a suspend. */
  wokeAt = Number.NEGATIVE_INFINITY
  /** How often the process was stopped. */
  stops = 0
  /** Timers and arrivals that came due while the process was stopped. */
  #waiting: (() => void)[] = []
  readonly #onKilled: (() => void)[] = []
  readonly #timers = new WeakSet<() => void>()
  #immediateAt = 0
  /** Called at the next effect, which then waits until this process resumes. */
  #stopAtEffect: (() => void) | undefined
  /** Messages that the process was about to send when it was stopped. */
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

  /** True if the machine is gone, so that not even its kernel answers. */
  get lostPower(): boolean {
    return this.#lostPower
  }

  get stopped(): boolean {
    return this.#state === 'stopped'
  }

  /** `performance.now()` of the process; stands still while the machine is suspended. */
  get monotonic(): number {
    const now = this.#suspendedAt ?? this.world.now
    return (now - this.#startedAt - this.#sleptMs) * this.#rate
  }

  /** The boot clock; advances while the machine is suspended, in the kernel's steps. */
  get boot(): number {
    return Math.floor(((this.world.now - this.#startedAt) * this.#rate) / bootStepMs) * bootStepMs
  }

  /** `Date.now()` of the process. */
  get wall(): number {
    return Math.floor(wallStart + this.world.now + this.#wallOffset)
  }

  note(what: string | (() => string)): void {
    this.world.note(this.name, what)
  }

  /** Schedules an event of this process after `afterMs` of true time. */
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

  /** Runs in a later turn of the event loop, in the order of the calls. */
  setImmediate(run: () => void): Timer {
    const timer = new Timer()
    let cancelled = false
    // A turn takes time, so that other events fall between two turns.
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

  /** Stops the process, as SIGSTOP does. */
  stop(): void {
    if (this.#state !== 'running') {
      return
    }
    this.#state = 'stopped'
    this.stops += 1
    this.note('is stopped')
  }

  /** Suspends the machine, whose monotonic clock then stands still. */
  suspend(): void {
    if (this.#state !== 'running') {
      return
    }
    this.#suspendedAt = this.world.now
    this.stop()
    this.note('is suspended')
  }

  /** Stops the process between the check of its next effect and the message to Redis. */
  stopAtEffect(stopped: () => void): void {
    this.#stopAtEffect = stopped
  }

  /** Sends the message of an effect that was just checked, unless the process stops here. */
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

  /** Resumes, as SIGCONT does: interrupted messages first, then timers and arrivals in either order. */
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
    this.note('resumes')
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

  /** Kills the process, as SIGKILL does; with `lostPower`, its kernel closes no connection. */
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

  /** Registers a callback for the kill, such as the kernel's close of a connection. */
  onKilled(callback: () => void): void {
    this.#onKilled.push(callback)
  }

  /** Returns true if an event may run now; otherwise keeps the event for later, or drops it. */
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
      // Timers follow the monotonic clock, which a suspend stops.
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
