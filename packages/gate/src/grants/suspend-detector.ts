import { uptime } from 'node:os'

/** Clocks of the machine, in milliseconds. */
export interface MachineClocks {
  /** Stands still while the machine is suspended, on Linux. */
  monotonic(): number
  wall(): number
  /**
   * Goes on while the machine is suspended, and never runs at another rate than `monotonic`. Read in
   * steps of `bootStepMs`. Undefined where `monotonic` goes on by itself.
   */
  boot?: (() => number) | undefined
}

/** What /proc/uptime shows. */
export const bootStepMs = 10

/** The wall clock and the monotonic one drift apart by this when the machine was suspended, or a clock set. */
const maxGapMs = 5

export const machineClocks: MachineClocks = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  // Of CLOCK_BOOTTIME. On macOS and Windows Node's monotonic clock goes on in a suspended machine.
  boot: process.platform === 'linux' ? () => uptime() * 1000 : undefined,
}

/** Notices that the machine was suspended. */
export class SuspendDetector {
  readonly #clocks: MachineClocks
  /** The boot clock is ahead of the monotonic one by this at most, unless the machine was suspended. */
  #ahead = Number.POSITIVE_INFINITY
  /** The wall clock was ahead of the monotonic one by this when the boot clock was last read. */
  #gap = Number.NaN

  constructor(clocks: MachineClocks) {
    this.#clocks = clocks
    this.check()
  }

  /** Whether `look` can find anything. */
  get supported(): boolean {
    return this.#clocks.boot !== undefined
  }

  /**
   * Returns true when the machine was suspended since it was last looked at; `now` is the monotonic
   * clock. Reads the boot clock only when the wall clock has jumped, as it does in each suspend.
   */
  quickCheck(now: number): boolean {
    if (!this.supported) {
      return false
    }
    const jumped = Math.abs(this.#clocks.wall() - now - this.#gap) > maxGapMs
    return jumped && this.check()
  }

  /** The same, whatever the wall clock says. */
  check(): boolean {
    const { monotonic, wall, boot } = this.#clocks
    if (boot === undefined) {
      return false
    }
    const before = monotonic()
    const shown = boot()
    const after = monotonic()
    this.#gap = wall() - after
    // It shows less than a step too little, and was read at some moment between the two others.
    const suspended = shown - after > this.#ahead
    const ahead = shown + bootStepMs - before
    this.#ahead = suspended ? ahead : Math.min(this.#ahead, ahead)
    return suspended
  }
}
