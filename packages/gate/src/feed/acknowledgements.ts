import { type Ack, maxAcked } from '@portcullis/contracts/feed'
import type { Applied } from '../grants/watch.js'

/** How many acknowledgements are sent again after a reconnect. */
const maxRepeated = 64

interface WaitingAck {
  readonly cursor: string
  readonly applied: Applied[]
  /** True once the effects that the acknowledgement waits for are over. */
  over: boolean
}

/**
 * Acknowledges applied revocations to auth, in the order of the feed. An acknowledgement waits for the
 * effects that its revocations cover, and for every acknowledgement before it.
 */
export class Acknowledgements {
  readonly #send: (ack: Ack) => void
  /** Applied, and not part of any acknowledgement yet. */
  #applied: Applied[] = []
  #waiting: WaitingAck[] = []
  /** The last that were sent. Auth may not have read them when a connection breaks. */
  #sent: Ack[] = []

  constructor(send: (ack: Ack) => void) {
    this.#send = send
  }

  /** Adds what was applied; the next `acknowledge` reports it. */
  add(applied: readonly Applied[]): void {
    this.#applied.push(...applied)
  }

  /** Acknowledges everything added so far, up to `cursor`, once `effects` are over. */
  acknowledge(cursor: string, effects: Promise<void> | undefined): void {
    const ack = { cursor, applied: this.#applied, over: effects === undefined }
    this.#applied = []
    this.#waiting.push(ack)
    void effects?.then(() => {
      ack.over = true
      this.#sendReady()
    })
    this.#sendReady()
  }

  /** Sends the last acknowledgements again, word for word: auth takes each count once. */
  repeat(): void {
    for (const ack of this.#sent) {
      this.#send(ack)
    }
  }

  /** Forgets what was added and not acknowledged. */
  forgetAdded(): void {
    this.#applied = []
  }

  /** Forgets everything that was not sent. */
  forgetUnsent(): void {
    this.#applied = []
    this.#waiting = []
  }

  /** Sends the acknowledgements at the front whose effects are over, as one. */
  #sendReady(): void {
    const next = this.#waiting.findIndex(({ over }) => !over)
    const ready = this.#waiting.splice(0, next === -1 ? this.#waiting.length : next)
    const cursor = ready.at(-1)?.cursor
    if (cursor === undefined) {
      return
    }
    const applied = mergeById(ready.flatMap((ack) => ack.applied))
    do {
      const revocations = applied.splice(0, maxAcked)
      const ack: Ack = { type: 'ack', cursor, revocations }
      this.#send(ack)
      if (revocations.length > 0) {
        this.#sent.push(ack)
      }
    } while (applied.length > 0)
    this.#sent.splice(0, this.#sent.length - maxRepeated)
  }
}

/** Adds up the counts of each id: a revocation of everything arrives once per partition, under one id. */
function mergeById(applied: readonly Applied[]): Applied[] {
  const counts = new Map<string, number>()
  for (const { id, connectionsClosed } of applied) {
    counts.set(id, (counts.get(id) ?? 0) + connectionsClosed)
  }
  return [...counts].map(([id, connectionsClosed]) => ({ id, connectionsClosed }))
}
