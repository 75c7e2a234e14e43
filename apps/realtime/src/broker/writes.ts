import { type Commands, isRefusal, ServerClocks } from '@portcullis/redis'
import type { Permit } from '../hub/permit.js'

/** Writes to Redis on behalf of tokens. Redis refuses a write that arrives after its deadline. */
export class Writes {
  readonly #clocks: ServerClocks

  constructor(redis: Commands) {
    this.#clocks = new ServerClocks(redis)
  }

  /**
   * Calls `send` if the permit allows it; the deadline is on the clock of the Redis that has `key`.
   */
  run<Result>(
    key: string,
    permit: Permit,
    send: (deadline: number) => Promise<Result>,
  ): Promise<Result> {
    return permit((until) => this.#clocks.run(key, until, send), isRefusal)
  }
}
