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
import { Wakeup } from '../wakeup.js'
import type { FeedHub } from './hub.js'

const inquireMessage = TypeCompiler.Compile(Inquire)

/** A node's answer, or why it is missing. */
export interface NodeReply {
  node: string
  state: AnswerState
  answer?: NodeAnswer['answer']
}

/** An inquiry of this process that waits for answers. */
interface WaitingInquiry {
  /** Answers announced so far. */
  announced: number
  changed: Wakeup
}

export interface InquiriesOptions {
  registry: Registry
  hub: FeedHub
  /** Subscribed to the registry's channels `inquiries` and `answers`. */
  listener: Listener
  onError: (error: unknown) => void
}

/**
 * Asks all nodes which connections use which tokens, including nodes whose feed is open at other auth
 * instances. Inquiries go to these through Redis Pub/Sub, and each instance stores the answers of its
 * nodes in Redis. A lost message only means that a node is not asked, or that its answer is seen late;
 * such a node is reported as `silent`.
 */
export class Inquiries {
  readonly #registry: Registry
  readonly #hub: FeedHub
  readonly #onError: (error: unknown) => void
  readonly #unsubscribe: (() => void)[]
  readonly #waiting = new Map<string, WaitingInquiry>()
  readonly #closing = new AbortController()

  constructor({ registry, hub, listener, onError }: InquiriesOptions) {
    this.#registry = registry
    this.#hub = hub
    this.#onError = onError
    const { keys } = registry
    this.#unsubscribe = [
      listener.on(keys.inquiries, (text) => this.#passOn(text)),
      listener.on(keys.answers, (id) => this.#announce(id)),
    ]
  }

  /** Stores the answer of a node that is connected here. */
  onAnswer({ node, instance }: NodeInstance, { id, connections, tokens }: Connections): void {
    this.#store(id, { node, instance, answer: { connections, tokens } })
  }

  /**
   * Asks every node, and waits at most `waitMs` for the answers of all that can answer.
   *
   * @throws RegistryError `registry_unavailable`
   */
  async ask(question: Omit<Inquire, 'type' | 'id'>, waitMs: number): Promise<NodeReply[]> {
    const deadline = performance.now() + waitMs
    const id = randomBytes(16).toString('base64url')
    const nodes = await listNodes(this.#registry)
    const inquiry: WaitingInquiry = { announced: 0, changed: new Wakeup() }
    this.#waiting.set(id, inquiry)
    try {
      await publishInquiry(this.#registry, { type: 'inquire', id, ...question })
      for (let mayWait = true; ; ) {
        const { announced } = inquiry
        const answers = await readAnswers(this.#registry, id)
        const replies = nodes.map((node) => replyOf(node, answers))
        if (!mayWait || replies.every(({ state }) => state !== 'silent')) {
          return replies
        }
        // Answers announced since before the read end the wait at once.
        mayWait = await inquiry.changed.until(() => inquiry.announced !== announced, {
          signals: [this.#closing.signal],
          maxWaitMs: Math.max(0, deadline - performance.now()),
        })
      }
    } finally {
      this.#waiting.delete(id)
    }
  }

  /** Ends every wait with the answers there are by then. The caller closes the listener. */
  close(): void {
    this.#closing.abort()
    for (const unsubscribe of this.#unsubscribe) {
      unsubscribe()
    }
  }

  #announce(id: string): void {
    const inquiry = this.#waiting.get(id)
    if (inquiry !== undefined) {
      inquiry.announced += 1
      inquiry.changed.wake()
    }
  }

  /** Sends an inquiry of any auth instance, including this one, to the nodes connected here. */
  #passOn(text: string): void {
    let inquiry: unknown
    try {
      inquiry = JSON.parse(text)
    } catch {
      return
    }
    if (!inquireMessage.Check(inquiry)) {
      return
    }
    const { id } = inquiry
    for (const { node, instance } of this.#hub.inquire(inquiry)) {
      this.#store(id, { node, instance })
    }
  }

  #store(id: string, answer: NodeAnswer): void {
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
