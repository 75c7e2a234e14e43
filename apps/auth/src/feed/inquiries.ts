import { randomBytes } from 'node:crypto'
import type { AnswerState } from '@portcullis/contracts/connections'
import { type Connections, Inquire } from '@portcullis/contracts/feed'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import {
  answerInquiry,
  type Listener,
  listNodes,
  type NodeAnswer,
  type NodeInstance,
  publishInquiry,
  type Registry,
  readAnswers,
} from '../registry/index.js'
import type { FeedHub } from './hub.js'

const check = TypeCompiler.Compile(Inquire)

/** What a node has, or why that is not known. */
export interface NodeReply {
  node: string
  state: AnswerState
  answer?: NodeAnswer['answer']
}

/**
 * Asks all nodes what stands on which tokens, also those whose feed is at other instances: these hear
 * of an inquiry through Redis, and each instance keeps there what its nodes answer. What is published
 * may be lost, so that a node is not asked or its answer is seen late; then it is `silent`.
 */
export class Inquiries {
  readonly #registry: Registry
  readonly #hub: FeedHub
  readonly #onError: (error: unknown) => void
  readonly #stops: (() => void)[]
  /** Called at each answer, and when this closes. */
  readonly #waiting = new Map<string, () => void>()
  #closed = false

  constructor(options: {
    registry: Registry
    hub: FeedHub
    /** Of the registry's channels `inquiries` and `answers`. */
    listener: Listener
    onError: (error: unknown) => void
  }) {
    const { registry, hub, listener, onError } = options
    this.#registry = registry
    this.#hub = hub
    this.#onError = onError
    const { keys } = registry
    this.#stops = [
      listener.on(keys.inquiries, (text) => this.#heard(text)),
      listener.on(keys.answers, (id) => this.#waiting.get(id)?.()),
    ]
  }

  /** A node that is here has answered. */
  onAnswer({ node, instance }: NodeInstance, { id, connections, tokens }: Connections): void {
    this.#give(id, { node, instance, answer: { connections, tokens } })
  }

  /**
   * Asks every node, and waits until each that can has answered, `waitMs` at most.
   *
   * @throws RegistryError `registry_unavailable`
   */
  async ask(question: Omit<Inquire, 'type' | 'id'>, waitMs: number): Promise<NodeReply[]> {
    const { promise: late, cancel } = deadline(waitMs)
    const id = randomBytes(16).toString('base64url')
    const nodes = await listNodes(this.#registry)
    let wake = () => {}
    let answered = false
    this.#waiting.set(id, () => {
      answered = true
      wake()
    })
    let isLate = false
    void late.then(() => {
      isLate = true
      wake()
    })
    try {
      await publishInquiry(this.#registry, { type: 'inquire', id, ...question })
      for (;;) {
        answered = false
        const last = isLate || this.#closed
        const answers = await readAnswers(this.#registry, id)
        const replies = nodes.map((node) => replyOf(node, answers))
        if (last || replies.every(({ state }) => state !== 'silent')) {
          return replies
        }
        if (!answered && !isLate && !this.#closed) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      cancel()
      this.#waiting.delete(id)
    }
  }

  /** Ends every wait with what is known. The listener stays the caller's to close. */
  close(): void {
    this.#closed = true
    for (const stop of this.#stops) {
      stop()
    }
    for (const wake of [...this.#waiting.values()]) {
      wake()
    }
  }

  /** Some instance asks, maybe this one. */
  #heard(text: string): void {
    let inquiry: unknown
    try {
      inquiry = JSON.parse(text)
    } catch {
      return
    }
    if (!check.Check(inquiry)) {
      return
    }
    const { id } = inquiry
    for (const { node, instance } of this.#hub.inquire(inquiry)) {
      this.#give(id, { node, instance })
    }
  }

  #give(id: string, answer: NodeAnswer): void {
    answerInquiry(this.#registry, id, answer).catch((error) => this.#onError(error))
  }
}

function replyOf(
  { node, instance, connected }: { node: string; instance: string; connected: boolean },
  answers: readonly NodeAnswer[],
): NodeReply {
  const own = answers.filter((one) => one.node === node && one.instance === instance)
  const answer = own.find((one) => one.answer !== undefined)?.answer
  if (answer !== undefined) {
    return { node, state: 'answered', answer }
  }
  if (own.length > 0) {
    return { node, state: 'unable' }
  }
  return { node, state: connected ? 'silent' : 'disconnected' }
}

function deadline(ms: number): { promise: Promise<void>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return { promise, cancel: () => clearTimeout(timer) }
}
