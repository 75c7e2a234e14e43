/**
 * Calls back for each member a fixed time after it was added. The member added first is due first, so
 * one timer serves all members.
 */
export class Deadline<Member> {
  readonly #due = new Map<Member, number>()
  readonly #ms: number
  readonly #onDue: (member: Member) => void
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, onDue: (member: Member) => void) {
    this.#ms = ms
    this.#onDue = onDue
  }

  /** A member that was added before keeps its time. */
  add(member: Member): void {
    if (this.#due.has(member)) {
      return
    }
    this.#due.set(member, performance.now() + this.#ms)
    if (this.#timer === undefined) {
      this.#arm(this.#ms)
    }
  }

  delete(member: Member): void {
    this.#due.delete(member)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due.clear()
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#expire(), ms)
    this.#timer.unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const [member, due] of this.#due) {
      if (due > now) {
        this.#arm(Math.ceil(due - now))
        return
      }
      this.#due.delete(member)
      this.#onDue(member)
    }
  }
}
