import type { Commands } from '@portcullis/redis'
import type { Permit } from '../../hub/permit.js'
import { orAway } from '../errors.js'
import { send } from '../streams/stream-scripts.js'
import type { Writes } from '../writes.js'

/** Publishes messages to Redis channels. */
export class Publisher {
  readonly #commands: Commands
  readonly #writes: Writes

  constructor(commands: Commands, writes: Writes) {
    this.#commands = commands
    this.#writes = writes
  }

  /**
   * Publishes a message of the node itself; returns the number of receivers.
   *
   * @throws BrokerError away
   */
  async publish(to: string, message: string): Promise<number> {
    return Number(await orAway(() => this.#commands.spublish(to, message)))
  }

  /** Publishes a message on behalf of a token. @throws BrokerError away */
  publishPermitted(to: string, message: string, permit: Permit): Promise<void> {
    return orAway(() =>
      this.#writes.run(to, permit, (deadline) => send(this.#commands, to, message, deadline)),
    )
  }
}
