import { randomUUID } from 'node:crypto'

const deadlineMs = 1000

interface Collection<Answer> {
  /** The answers, by the random id of each node. */
  readonly answers: Map<string, Answer>
  /** Number of nodes that received the question; infinite until Redis has replied. */
  asked: number
  done(): void
}

/** Asks all nodes a question and collects their answers. */
export class Collector<Answer> {
  readonly #ask: (question: string) => Promise<number>
  readonly #open = new Map<string, Collection<Answer>>()

  /** @param ask - sends the question to every node; returns the number of receivers */
  constructor(ask: (question: string) => Promise<number>) {
    this.#ask = ask
  }

  /** Returns the answers that arrive within a second; rejects when `ask` does. */
  async collect(question: object): Promise<Answer[]> {
    const id = randomUUID()
    const answers = new Map<string, Answer>()
    let done = () => {}
    const complete = new Promise<void>((resolve) => {
      done = resolve
    })
    const collection: Collection<Answer> = { answers, asked: Number.POSITIVE_INFINITY, done }
    this.#open.set(id, collection)
    const deadline = setTimeout(done, deadlineMs)
    try {
      collection.asked = await this.#ask(JSON.stringify({ ...question, id }))
      if (answers.size < collection.asked) {
        await complete
      }
    } finally {
      clearTimeout(deadline)
      this.#open.delete(id)
    }
    return [...answers.values()]
  }

  /** Takes one node's answer to the question `id`; ignores an answer that comes too late. */
  take(id: string, node: string, answer: Answer): void {
    const collection = this.#open.get(id)
    if (collection === undefined) {
      return
    }
    collection.answers.set(node, answer)
    if (collection.answers.size >= collection.asked) {
      collection.done()
    }
  }

  /** Ends all collections with the answers so far. */
  stop(): void {
    for (const collection of this.#open.values()) {
      collection.done()
    }
  }
}
