import { type Commands, isCluster } from './commands.js'
import { TooLateError } from './errors.js'
import type { Script } from './script.js'
import { slotOf } from './slots.js'

/** How long a reading of a server's clock is used, in milliseconds. */
const maxAgeMs = 5000
/** A reading older than this is renewed while it is used. */
const renewAgeMs = 2500
/**
 * The wall clock and the monotonic clock drift apart by more when the machine was suspended, or a
 * clock was set.
 */
const maxDriftMs = 5

interface Reading {
  /** The time of the server's clock, in Unix milliseconds. */
  readonly serverMs: number
  /** When the answer arrived, on this process's monotonic clock. */
  readonly at: number
}

/**
 * Converts times of this process's monotonic clock to deadlines on the clock of the Redis that runs
 * a script. Only a server's own clock is used: it is read, and the remaining time is added. A
 * reading is older than the arrival of its answer, so a deadline is early by that time, never late.
 * When a server's clock is set back, or another master has a slower clock, deadlines are late by
 * the difference until the next reading.
 */
export class ServerClocks {
  readonly #redis: Commands
  /** By slot. Outside of a Cluster there is one clock. */
  readonly #readings = new Map<number, Reading>()
  readonly #pending = new Map<number, Promise<Reading>>()
  /** Calls that wait for a reading. */
  #waiting = 0

  constructor(redis: Commands) {
    this.#redis = redis
    // The next connection may lead to another server.
    redis.on('close', () => this.#readings.clear())
  }

  /**
   * Calls `send` with a deadline for a script on the server that has `key`: the Unix milliseconds
   * that the server's clock shows at `until` (`performance.now()`), or slightly earlier. Calls keep
   * their order.
   *
   * @throws errors of `send` and of reading the clock; TooLateError once `until` has passed, or
   * when the machine was suspended in between
   */
  async run<Result>(
    key: string,
    until: number,
    send: (deadline: number) => Promise<Result>,
  ): Promise<Result> {
    const slot = isCluster(this.#redis) ? slotOf(key) : 0
    const ahead = wallAhead()
    const known = this.#usable(slot, key)
    try {
      return await send(
        known === undefined
          ? await this.#nextDeadline(slot, key, until, ahead)
          : deadlineOf(known, until),
      )
    } catch (error) {
      // The server's clock may have been set forward.
      if (!(error instanceof TooLateError) || performance.now() >= until) {
        throw error
      }
      this.#readings.delete(slot)
      return send(await this.#nextDeadline(slot, key, until, ahead))
    }
  }

  /** Returns the deadline after earlier calls have theirs; `ahead` is from the start of the call. */
  async #nextDeadline(slot: number, key: string, until: number, ahead: number): Promise<number> {
    this.#waiting += 1
    let reading: Reading
    try {
      reading = await (this.#fresh(slot, maxAgeMs) ?? this.#read(slot, key))
    } finally {
      this.#waiting -= 1
    }
    // The monotonic clock of a suspended machine may stop: `until` would come too late.
    if (Math.abs(wallAhead() - ahead) > maxDriftMs) {
      throw new TooLateError()
    }
    return deadlineOf(reading, until)
  }

  /**
   * Returns a reading that may be used at once, and renews it in time. Returns undefined while earlier
   * calls wait for one, which this call must not overtake.
   */
  #usable(slot: number, key: string): Reading | undefined {
    const known = this.#waiting === 0 ? this.#fresh(slot, maxAgeMs) : undefined
    if (known !== undefined && this.#fresh(slot, renewAgeMs) === undefined) {
      this.#read(slot, key).catch(() => undefined)
    }
    return known
  }

  /** Returns the last reading unless it is older than this. */
  #fresh(slot: number, maxMs: number): Reading | undefined {
    const known = this.#readings.get(slot)
    return known !== undefined && performance.now() - known.at <= maxMs ? known : undefined
  }

  #read(slot: number, key: string): Promise<Reading> {
    const pending = this.#pending.get(slot) ?? this.#ask(slot, key)
    this.#pending.set(slot, pending)
    return pending
  }

  async #ask(slot: number, key: string): Promise<Reading> {
    try {
      // A script, because TIME has no key by which a Cluster could find the master.
      const time = await this.#redis.eval("return redis.call('TIME')", 1, key)
      const [seconds, microseconds] = time as [string, string]
      const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000
      const reading = { serverMs, at: performance.now() }
      this.#readings.set(slot, reading)
      return reading
    } finally {
      this.#pending.delete(slot)
    }
  }
}

/**
 * Returns the milliseconds by which the wall clock is ahead of the monotonic clock. Reads again when
 * the process was interrupted between the two clocks, which would look like a drift.
 */
function wallAhead(): number {
  for (;;) {
    const before = performance.now()
    const wall = Date.now()
    if (performance.now() - before < 1) {
      return wall - before
    }
  }
}

function deadlineOf({ serverMs, at }: Reading, until: number): number {
  return serverMs + until - at
}

/** A time of `performance.now()` from which scripts are refused, and the clocks to convert it. */
export interface Deadline {
  readonly clocks: ServerClocks
  readonly until: number
}

/**
 * Runs a script, before the deadline if there is one. The first of `keys` determines the server.
 */
export function runWithin<Reply>(
  script: Script<Reply>,
  { redis, deadline }: { redis: Commands; deadline?: Deadline | undefined },
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<Reply> {
  const [key] = keys
  if (deadline === undefined || key === undefined) {
    return script(redis, keys, args)
  }
  const { clocks, until } = deadline
  return clocks.run(key, until, (moment) => script(redis, keys, args, moment))
}

/**
 * Returns true for an error after which a command cannot take effect any more, because Redis has
 * refused it. A lost connection or a timeout is no proof.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof TooLateError) {
    return true
  }
  return error instanceof Error && error.name === 'ReplyError'
}
