import { setImmediate as turn } from 'node:timers/promises'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { Api } from '@portcullis/local'
import { until } from '../until.js'
import type { Recorder } from './recorder.js'

/** A revocation as its caller sees it. Times are `performance.now()`, in milliseconds. */
export class Revocation {
  readonly covers: readonly Recorder[]
  /**
   * States of the nodes in each receipt that differed from the one before, in the order read. Two
   * processes with the same name have a combined state: `acked fenced`.
   */
  readonly seen: Record<string, string>[] = []
  /** Start of the period in which auth has answered every request. */
  answeringSince = 0
  /** Time when a complete receipt, and all messages sent before it, had been read. */
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

  /** Revokes, and keeps reading the receipt until it is complete. */
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
    // `complete` reports the error; a test that has already failed does not call it.
    revocation.#end.catch(() => undefined)
    return revocation
  }

  /** Waits for the complete receipt. */
  async complete(): Promise<Receipt> {
    if (this.#end === undefined) {
      throw new Error('the receipt is not read')
    }
    return this.#end
  }

  /** Returns the states of a node in the receipts, without repetitions. */
  statesOf(node: string): readonly (string | undefined)[] {
    const states = this.seen.map((each) => each[node])
    return states.filter((state, index) => index === 0 || state !== states[index - 1])
  }

  async #follow(first: Receipt): Promise<Receipt> {
    const receipt = first.complete
      ? first
      : await until('the receipt is complete', () => this.#ask())
    // What a node wrote before is already in this machine's kernel: these turns read it.
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
