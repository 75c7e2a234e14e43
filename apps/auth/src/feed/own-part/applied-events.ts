import { type CursorPart, cursorParts } from '../../registry/cursor.js'

interface AppliedBatch {
  /** The position after the batch, by partition. */
  readonly end: CursorPart[]
  /** True once the effects that the batch ended are over. */
  over: boolean
}

/**
 * How far this process has applied the feed to the grants of its callers, and how far the effects of
 * covered callers are over too. Batches count as over in their order: the effects that a later batch
 * ended may be over first.
 */
export class AppliedEvents {
  #applied: CursorPart[]
  #over: CursorPart[]
  readonly #pending: AppliedBatch[] = []

  /** @param cursor - where the tail starts */
  constructor(cursor: string) {
    this.#applied = this.#over = cursorParts(cursor) ?? []
  }

  /** The position in a partition up to which events are applied; effects may still be in flight. */
  applied(partition: number): CursorPart | undefined {
    return this.#applied[partition]
  }

  /** The position in a partition up to which events are applied and their effects are over. */
  over(partition: number): CursorPart | undefined {
    return this.#over[partition]
  }

  /**
   * Adds events up to `cursor`. Calls `onMoved` now, and again when their effects are over.
   *
   * @param effects - resolves when the effects that the events ended are over; undefined without any
   */
  add(cursor: string, effects: Promise<void> | undefined, onMoved: () => void): void {
    const batch: AppliedBatch = { end: cursorParts(cursor) ?? [], over: effects === undefined }
    this.#applied = batch.end
    this.#pending.push(batch)
    void effects?.then(() => {
      batch.over = true
      this.#advance()
      onMoved()
    })
    this.#advance()
    onMoved()
  }

  #advance(): void {
    while (this.#pending[0]?.over === true) {
      this.#over = this.#pending.shift()?.end ?? this.#over
    }
  }
}
