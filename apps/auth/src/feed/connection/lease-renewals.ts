import type { AuthMessage, Renew } from '@portcullis/contracts/feed'
import type { Joined, NodeInstance, Renewed } from '../../registry/index.js'
import type { FeedRegistry } from '../registry.js'
import { retryWhileUnavailable } from '../retry.js'
import type { NodeProgress } from './node-progress.js'

export interface LeaseRenewalsOptions {
  registry: Pick<FeedRegistry, 'renewLease' | 'ackRevocations'>
  progress: NodeProgress
  /** Aborts when the connection ends. */
  ended: AbortSignal
  send: (message: AuthMessage) => Promise<void>
  onError: (error: unknown) => void
}

/**
 * Answers a node's renewals of its lease.
 *
 * A renewal counts only after the node has acknowledged everything that was committed before the
 * renewal arrived. The registry compares at the moment it counts, so a renewal that was delayed in this
 * process is worth no more. Therefore nothing that a node leaves unacknowledged is waited for longer
 * than one lease, and an instance whose tail is stuck grants no lease.
 */
export class LeaseRenewals {
  readonly #options: LeaseRenewalsOptions
  /** The newest renewal without an answer; an older one gets none. */
  #renewal: number | undefined
  #granting = false

  constructor(options: LeaseRenewalsOptions) {
    this.#options = options
  }

  /** Starts to answer a renewal. Acknowledgements are handled while it waits. */
  request(node: NodeInstance & Pick<Joined, 'since'>, { renewal }: Renew): void {
    this.#renewal = renewal
    if (!this.#granting) {
      void this.#grant(node).catch((error) => this.#options.onError(error))
    }
  }

  async #grant(node: NodeInstance & Pick<Joined, 'since'>): Promise<void> {
    const { progress, ended, send } = this.#options
    this.#granting = true
    while (this.#renewal !== undefined && !ended.aborted) {
      const renewal = this.#renewal
      this.#renewal = undefined
      const renewed = await retryWhileUnavailable(ended, () => this.#count(node))
      if (renewed === undefined) {
        return
      }
      // Receipts of everything committed until now may be complete without the node: the node may have
      // been fenced, then un-fenced by a renewal whose reply was lost.
      await progress.untilSent(renewed.cursor)
      await send({ type: 'lease', renewal, ttlMs: renewed.ttlMs })
    }
    this.#granting = false
  }

  /**
   * Counts a renewal. While revocations wait for the node, first waits until the node has acknowledged
   * everything that was committed at the first attempt. Returns undefined when the connection has ended.
   */
  async #count(node: NodeInstance & Pick<Joined, 'since'>): Promise<Renewed | undefined> {
    const { registry, progress, ended } = this.#options
    const { node: name, instance } = node
    let renewed = await registry.renewLease(node)
    while (!renewed.counted) {
      const { cursor, askedAt } = renewed
      await progress.untilAcked(cursor)
      if (ended.aborted) {
        return undefined
      }
      // A restarted Redis may have lost the acknowledgement, and the node has no reason to repeat it.
      await registry.ackRevocations({ node: name, instance }, [], progress.acked)
      renewed = await registry.renewLease(node, askedAt)
    }
    return renewed
  }
}
