import { type Commands, isRefusal, ServerClocks, TooLateError } from '@portcullis/redis'
import type { Permit } from '../hub/permit.js'

/** Writes to Redis on behalf of tokens; Redis refuses each one that arrives after its deadline. */
export class Writes {
  readonly #clocks: ServerClocks

  constructor(redis: Commands) {
    this.#clocks = new ServerClocks(redis)
  }

  /**
   * Calls `send` with a deadline on the clock of the Redis that has `key`, in the step in which
   * `permit` has checked the token.
   */
  async run<Result>(
    key: string,
    permit: Permit,
    send: (deadline: number) => Promise<Result>,
  ): Promise<Result> {
    const write = async () => {
      await this.#clocks.read(key)
      return permit((until) => send(this.#clocks.deadline(key, until)), isRefusal)
    }
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof TooLateError)) throw error
      // Its clock was set forward, or it was slow. The token is checked again.
      this.#clocks.forget(key)
      return write()
    }
  }
}
