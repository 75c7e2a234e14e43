import { randomUUID } from 'node:crypto'
import type { InfoNode } from '@portcullis/contracts/server-api'
import type { InfoAnswer } from './messages.js'

const deadlineMs = 1000

interface Collection {
  readonly nodes: Map<string, InfoNode>
  /** Number of nodes that received the question; infinite until Redis has replied. */
  asked: number
  done(): void
}

/** Asks all nodes for their description and collects the answers. */
export class InfoCollector {
  readonly #uid: string
  readonly #ask: (question: string) => Promise<number>
  readonly #open = new Map<string, Collection>()

  /** @param ask - sends the question to every node; returns the number of receivers */
  constructor(uid: string, ask: (question: string) => Promise<number>) {
    this.#uid = uid
    this.#ask = ask
  }

  /** Returns the descriptions that arrive within a second; rejects when `ask` does. */
  async collect(): Promise<InfoNode[]> {
    const id = randomUUID()
    const nodes = new Map<string, InfoNode>()
    let done = () => {}
    const complete = new Promise<void>((resolve) => {
      done = resolve
    })
    const collection: Collection = { nodes, asked: Number.POSITIVE_INFINITY, done }
    this.#open.set(id, collection)
    const deadline = setTimeout(done, deadlineMs)
    try {
      collection.asked = await this.#ask(JSON.stringify({ type: 'info', id, from: this.#uid }))
      if (nodes.size < collection.asked) {
        await complete
      }
    } finally {
      clearTimeout(deadline)
      this.#open.delete(id)
    }
    return [...nodes.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Takes one node's answer; ignores an answer that comes too late. */
  take({ id, node }: InfoAnswer): void {
    const collection = this.#open.get(id)
    if (collection === undefined) {
      return
    }
    collection.nodes.set(node.uid, node)
    if (collection.nodes.size >= collection.asked) {
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
