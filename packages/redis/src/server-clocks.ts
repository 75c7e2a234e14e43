import { type Commands, isCluster } from './commands.js'
import { TooLateError } from './errors.js'
import type { Script } from './script.js'
import { slotOf } from './slots.js'

/** How long a reading of a server's clock is used, in milliseconds. */
const maxAgeMs = 5000
/** A reading that is older than this is renewed while it is used. */
const renewAgeMs = 2500
/** The wall clock drifts from the monotonic one by more when the machine was suspended, or a clock set. */
const maxDriftMs = 5

interface Reading {
  /** What the server's clock showed, in Unix milliseconds. */
  readonly serverMs: number
  /** When the answer had arrived, on this process's monotonic clock. */
  readonly at: number
}

/**
 * Gives scripts deadlines on the clock of the Redis that runs them, for moments of this process's
 * monotonic clock. A server's clock is compared with itself alone: it is read, and the time that is
 * left is added. The reading is older than the arrival of its answer, so a deadline is early by that,
 * never late. A clock that is set back, or another master whose clock is behind, makes it late by the
 * difference until the next reading.
 */
export class ServerClocks {
  readonly #redis: Commands
  /** By slot; a server that is no Cluster has one clock for all. */
  readonly #readings = new Map<number, Reading>()
  readonly #underWay = new Map<number, Promise<Reading>>()

  constructor(redis: Commands) {
    this.#redis = redis
    // Another server may answer on the next connection.
    redis.on('close', () => this.#readings.clear())
  }

  /**
   * Calls `send` with the deadline for a script of the server that has `key`: the Unix milliseconds
   * that its clock shows at `until` (`performance.now()`), or a little before. Calls keep their order.
   *
   * @throws whatever `send` or reading the clock throws; TooLateError once `until` has passed, and when
   * the machine was suspended meanwhile
   */
  async run<Result>(
    key: string,
    until: number,
    send: (deadline: number) => Promise<Result>,
  ): Promise<Result> {
    const slot = isCluster(this.#redis) ? slotOf(key) : 0
    const ahead = wallAhead()
    const deadline = async (): Promise<number> => {
      const reading = await this.#reading(slot, key)
      // The monotonic clock of a suspended machine may stand still: `until` would come too late.
      if (Math.abs(wallAhead() - ahead) > maxDriftMs) {
        throw new TooLateError()
      }
      return deadlineOf(reading, until)
    }
    try {
      return await send(await deadline())
    } catch (error) {
      // The server's clock may have been set forward.
      if (!(error instanceof TooLateError) || performance.now() >= until) {
        throw error
      }
      this.#readings.delete(slot)
      return send(await deadline())
    }
  }

  async #reading(slot: number, key: string): Promise<Reading> {
    const known = this.#readings.get(slot)
    const age = known === undefined ? Number.POSITIVE_INFINITY : performance.now() - known.at
    if (known === undefined || age > maxAgeMs) {
      return this.#read(slot, key)
    }
    if (age > renewAgeMs) {
      this.#read(slot, key).catch(() => undefined)
    }
    return known
  }

  #read(slot: number, key: string): Promise<Reading> {
    const underWay = this.#underWay.get(slot) ?? this.#ask(slot, key)
    this.#underWay.set(slot, underWay)
    return underWay
  }

  async #ask(slot: number, key: string): Promise<Reading> {
    try {
      // A script, since TIME alone has no key by which a Cluster could send it to the right master.
      const time = await this.#redis.eval("return redis.call('TIME')", 1, key)
      const [seconds, microseconds] = time as [string, string]
      const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000
      const reading = { serverMs, at: performance.now() }
      this.#readings.set(slot, reading)
      return reading
    } finally {
      this.#underWay.delete(slot)
    }
  }
}

/** By how much the wall clock is ahead of the monotonic one, in milliseconds. */
function wallAhead(): number {
  return Date.now() - performance.now()
}

function deadlineOf({ serverMs, at }: Reading, until: number): number {
  return serverMs + until - at
}

/** A moment of `performance.now()` after which scripts have no effect, and what tells servers of it. */
export interface Deadline {
  readonly clocks: ServerClocks
  readonly until: number
}

/** Runs a script, before the deadline if there is one; `keys` has the key that finds its server. */
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
 * Returns true for an error after which a command cannot take effect any more: Redis has refused it.
 * A lost connection or a timeout proves nothing.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof TooLateError) {
    return true
  }
  return error instanceof Error && error.name === 'ReplyError'
}
