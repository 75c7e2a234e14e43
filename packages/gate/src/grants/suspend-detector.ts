import { uptime } from 'node:os'

/** The clocks of the machine, in milliseconds. */
export interface MachineClocks {
  /** On Linux, stands still while the machine is suspended. */
  monotonic(): number
  wall(): number
  /**
   * Advances while the machine is suspended, and otherwise at the rate of `monotonic`, in steps of
   * `bootStepMs`. Undefined where `monotonic` itself advances during a suspend.
   */
  boot?: (() => number) | undefined
}

/** The resolution of /proc/uptime. */
export const bootStepMs = 10

/** A larger drift between wall and monotonic clock means a suspend, or a clock that was set. */
const maxDriftMs = 5

export const machineClocks: MachineClocks = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  // CLOCK_BOOTTIME. On macOS and Windows Node's monotonic clock advances during a suspend.
  boot: process.platform === 'linux' ? () => uptime() * 1000 : undefined,
}

/** Detects that the machine was suspended. */
export class SuspendDetector {
  readonly #clocks: MachineClocks
  /** Upper bound of boot clock minus monotonic clock, as long as the machine is not suspended. */
  #ahead = Number.POSITIVE_INFINITY
  /** Wall clock minus monotonic clock at the last reading of the boot clock. */
  #drift = Number.NaN

  constructor(clocks: MachineClocks) {
    this.#clocks = clocks
    this.check()
  }

  /** False on a machine whose monotonic clock advances during a suspend. */
  get supported(): boolean {
    return this.#clocks.boot !== undefined
  }

  /**
   * Returns true if the machine was suspended since the last check; `now` is the monotonic time. Reads
   * the boot clock only if the wall clock has jumped, as it does in every suspend.
   */
  quickCheck(now: number): boolean {
    if (!this.supported) {
      return false
    }
    const jumped = Math.abs(this.#clocks.wall() - now - this.#drift) > maxDriftMs
    return jumped && this.check()
  }

  /** Returns true if the machine was suspended since the last check, even if the wall clock hides it. */
  check(): boolean {
    const { monotonic, wall, boot } = this.#clocks
    if (boot === undefined) {
      return false
    }
    const before = monotonic()
    const shown = boot()
    const after = monotonic()
    this.#drift = wall() - after
    // `shown` is rounded down to a step, and was read at some moment between `before` and `after`.
    const suspended = shown - after > this.#ahead
    const ahead = shown + bootStepMs - before
    this.#ahead = suspended ? ahead : Math.min(this.#ahead, ahead)
    return suspended
  }
}
