import { reaches } from '../../registry/index.js'
import { Wakeup } from '../../wakeup.js'

/** How much of the feed has been sent to a node, and how much the node has acknowledged. */
export class NodeProgress {
  readonly #ended: AbortSignal
  readonly #moved = new Wakeup()
  #sent = ''
  #acked = ''

  /** @param ended - aborts when the connection ends, and ends every wait */
  constructor(ended: AbortSignal) {
    this.#ended = ended
  }

  /** The cursor up to which everything has been sent. */
  get sent(): string {
    return this.#sent
  }

  set sent(cursor: string) {
    this.#sent = cursor
    this.#moved.wake()
  }

  /** The cursor up to which the node has acknowledged, and the registry has recorded it. */
  get acked(): string {
    return this.#acked
  }

  set acked(cursor: string) {
    this.#acked = cursor
    this.#moved.wake()
  }

  /** Resolves when everything up to `cursor` has been sent, or the connection has ended. */
  async untilSent(cursor: string): Promise<void> {
    await this.#until(() => reaches(this.#sent, cursor))
  }

  /** Resolves when everything up to `cursor` is acknowledged, or the connection has ended. */
  async untilAcked(cursor: string): Promise<void> {
    await this.#until(() => reaches(this.#acked, cursor))
  }

  async #until(condition: () => boolean): Promise<void> {
    await this.#moved.until(condition, { signals: [this.#ended] })
  }
}
