import { randomUUID } from 'node:crypto'
import type { InfoNode } from '@portcullis/contracts/server-api'
import type { InfoAnswer } from './messages.js'

const deadlineMs = 1000

interface Gathering {
  readonly nodes: Map<string, InfoNode>
  /** How many were asked; unknown until Redis has said it. */
  asked: number
  done(): void
}

/** Asks all nodes about themselves, and collects the answers until each of them has given one. */
export class InfoGathering {
  readonly #uid: string
  readonly #ask: (question: string) => Promise<number>
  readonly #open = new Map<string, Gathering>()

  /** `ask` sends to every node, and gives how many got it. */
  constructor(uid: string, ask: (question: string) => Promise<number>) {
    this.#uid = uid
    this.#ask = ask
  }

  async gather(): Promise<InfoNode[]> {
    const id = randomUUID()
    const nodes = new Map<string, InfoNode>()
    let done = () => {}
    const complete = new Promise<void>((resolve) => {
      done = resolve
    })
    const gathering: Gathering = { nodes, asked: Number.POSITIVE_INFINITY, done }
    this.#open.set(id, gathering)
    const deadline = setTimeout(done, deadlineMs)
    try {
      gathering.asked = await this.#ask(JSON.stringify({ type: 'info', id, from: this.#uid }))
      if (nodes.size < gathering.asked) {
        await complete
      }
    } finally {
      clearTimeout(deadline)
      this.#open.delete(id)
    }
    return [...nodes.values()].sort((a, b) => a.name.localeCompare(b.name))
  }

  /** Takes one node's answer; one that nobody waits for any more is ignored. */
  take({ id, node }: InfoAnswer): void {
    const gathering = this.#open.get(id)
    if (gathering === undefined) {
      return
    }
    gathering.nodes.set(node.uid, node)
    if (gathering.nodes.size >= gathering.asked) {
      gathering.done()
    }
  }

  stop(): void {
    for (const gathering of this.#open.values()) {
      gathering.done()
    }
  }
}
