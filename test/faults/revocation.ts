import { setImmediate as turn } from 'node:timers/promises'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { Api } from '@portcullis/local'
import type { Recorder } from './recorder.js'
import { until } from './until.js'

/** A revocation as its caller sees it. Times are of `performance.now()`, in milliseconds. */
export class Revocation {
  readonly covers: readonly Recorder[]
  /**
   * The receipts, as far as they differed, in the order they were read: of each its nodes' states.
   * Two processes that had one name both count: `acked fenced`.
   */
  readonly seen: Record<string, string>[] = []
  /** Since when auth has answered whenever it was asked. */
  answeringSince = 0
  /** Set when a complete receipt has been read, and everything that was underway to us by then. */
  completeAt: number | undefined
  readonly #api: Api
  readonly #id: string
  #end: Promise<Receipt> | undefined

  private constructor(api: Api, covers: readonly Recorder[], receipt: Receipt) {
    this.#api = api
    this.covers = covers
    this.#id = receipt.id
    this.answeringSince = performance.now()
    this.#read(receipt)
  }

  /** Revokes, and reads the receipt again and again until it is complete. */
  static async commit(
    api: Api,
    selector: Record<string, unknown>,
    covers: readonly Recorder[],
  ): Promise<Revocation> {
    const { status, body } = await api('POST', '/v1/revocations', selector)
    if (status !== 201) {
      throw new Error(`revoke: ${status} ${JSON.stringify(body)}`)
    }
    const revocation = new Revocation(api, covers, body)
    revocation.#end = revocation.#follow(body)
    // Whoever waits for it is told; a test that has failed before does not.
    revocation.#end.catch(() => undefined)
    return revocation
  }

  /** Waits for the complete receipt. */
  async complete(): Promise<Receipt> {
    if (this.#end === undefined) {
      throw new Error('it is not followed')
    }
    return this.#end
  }

  /** What the receipts said of a node, one after another. */
  statesOf(node: string): readonly (string | undefined)[] {
    const states = this.seen.map((each) => each[node])
    return states.filter((state, index) => index === 0 || state !== states[index - 1])
  }

  async #follow(first: Receipt): Promise<Receipt> {
    const receipt = first.complete
      ? first
      : await until('the receipt is complete', () => this.#ask())
    // What a node wrote before lies in our kernel already: these turns of the event loop read it.
    await turn()
    await turn()
    this.completeAt = performance.now()
    return receipt
  }

  async #ask(): Promise<Receipt | undefined> {
    const answer = await this.#api('GET', `/v1/revocations/${this.#id}`).catch(() => undefined)
    if (answer?.status !== 200) {
      this.answeringSince = performance.now()
      return undefined
    }
    const receipt = answer.body as Receipt
    this.#read(receipt)
    return receipt.complete ? receipt : undefined
  }

  #read({ nodes }: Receipt): void {
    const states: Record<string, string> = {}
    for (const { node, state } of nodes) {
      const known = states[node]
      states[node] = known === undefined ? state : [known, state].sort().join(' ')
    }
    if (JSON.stringify(states) !== JSON.stringify(this.seen.at(-1))) {
      this.seen.push(states)
    }
  }
}
