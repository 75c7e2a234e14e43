import { randomBytes } from 'node:crypto'
import {
  type Ack,
  type AuthMessage,
  type Connections,
  feedClose,
  type Hello,
  type Inquire,
  type NodeMessage,
} from '@portcullis/contracts/feed'
import type { SelectableToken } from '@portcullis/contracts/revocations'
import { type Joined, type NodeInstance, RegistryError } from '../../registry/index.js'
import type { Batch, FeedHub, HubConnection } from '../hub.js'
import { decode, encode } from '../message.js'
import type { FeedRegistry } from '../registry.js'
import { retryWhileUnavailable } from '../retry.js'
import { EventStream } from './event-stream.js'
import { instanceOf, type JoinError, join, joinRefusals } from './join.js'
import { LeaseRenewals } from './lease-renewals.js'
import { MessageQueue } from './message-queue.js'
import { NodeProgress } from './node-progress.js'
import { OpenInquiries } from './open-inquiries.js'
import type { FeedSocket } from './socket.js'
import { at } from './timer.js'

/** The token with which a node opened the feed. */
export interface FeedToken extends SelectableToken {
  /** Unix milliseconds. */
  expiresAt: number
}

export interface FeedConnectionOptions {
  registry: FeedRegistry
  hub: FeedHub
  socket: FeedSocket
  token: FeedToken
  /** How long the node may take to say hello, in milliseconds. */
  helloMs: number
  onError: (error: unknown) => void
  /** Receives the node's answers to inquiries; without it the node is sent none. */
  onAnswer?: (node: NodeInstance, answer: Connections) => void
  /** Receives each process that is new to its name, and each one that is refused. */
  onJoin?: (outcome: JoinOutcome) => void
}

/** The outcome of a hello. */
export interface JoinOutcome extends NodeInstance {
  /** The instance that had the name before. */
  replaced?: string | undefined
  /** Why the hello was refused. */
  error?: JoinError
}

/** A process under its name, and since when it has the name. */
type JoinedNode = NodeInstance & Pick<Joined, 'since'>

/**
 * One node's connection to the feed: hello, welcome, events, acks, lease, bye, as the feed's contract
 * says (`@portcullis/contracts/feed`). Messages are handled in order; `EventStream` sends the events,
 * `LeaseRenewals` answers renewals.
 */
export class FeedConnection implements HubConnection {
  readonly token: FeedToken
  /** Resolves when the socket has closed and the registry has recorded it. */
  readonly ended: Promise<void>
  readonly #options: FeedConnectionOptions
  /** Tells this connection from an older one of the same process. */
  readonly #id = randomBytes(12).toString('base64url')
  readonly #ending = new AbortController()
  readonly #messages: MessageQueue
  readonly #progress: NodeProgress
  readonly #events: EventStream
  readonly #renewals: LeaseRenewals
  readonly #inquiries = new OpenInquiries()
  #resolveEnded: () => void = () => {}
  #saidHello = false
  #joined: JoinedNode | undefined
  /** Resolves when the registry has recorded that this connection is open. */
  #recordedOpen: Promise<void> = Promise.resolve()
  #answersInquiries = false

  /** Attaches itself to the hub before anything is awaited. */
  constructor(options: FeedConnectionOptions) {
    this.#options = options
    this.token = options.token
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    const { registry, hub, socket, helloMs } = options
    const ended = this.#ending.signal
    this.#messages = new MessageQueue(socket, (message) =>
      this.#handle(message).catch((error) => this.#fail(error)),
    )
    const progress = new NodeProgress(ended)
    this.#progress = progress
    this.#events = new EventStream({
      registry,
      hub,
      progress,
      ended,
      send: (message) => this.#send(message),
      backlog: () => socket.backlog,
      onLost: () => this.end(feedClose.goingAway, 'events after the cursor are lost; reconnect'),
      onSlow: () => this.end(feedClose.goingAway, 'too slow; reconnect'),
    })
    this.#renewals = new LeaseRenewals({
      registry,
      progress,
      ended,
      send: (message) => this.#send(message),
      onError: (error) => this.#fail(error),
    })
    at(Date.now() + helloMs, ended, () => {
      if (!this.#saidHello) {
        this.end(feedClose.badMessage, 'say hello first')
      }
    })
    at(this.token.expiresAt, ended, () => {
      this.end(feedClose.unauthorized, 'the token has expired')
    })
    hub.add(this)
  }

  /** The node; undefined until it has joined. */
  get node(): NodeInstance | undefined {
    return this.#joined
  }

  /** Since when the process has its name; of two processes under one name the later has the greater. */
  get since(): number {
    return this.#joined?.since ?? 0
  }

  /** Takes a message from the socket; `undefined` stands for a binary one, which the feed has not. */
  onMessage(text: string | undefined): void {
    if (this.#ending.signal.aborted) {
      return
    }
    const message = text === undefined ? undefined : decode(text)
    if (message === undefined) {
      this.end(feedClose.badMessage, 'malformed message')
      return
    }
    this.#messages.add(message)
  }

  /** Takes events from the hub. */
  onBatch(batch: Batch): void {
    this.#events.onBatch(batch)
  }

  /** Sends an inquiry to the node. Returns false when the node answers no inquiries. */
  inquire(inquiry: Inquire): boolean {
    if (!this.#answersInquiries) {
      return false
    }
    this.#inquiries.add(inquiry.id)
    void this.#send(inquiry)
    return true
  }

  /** Closes with a code of `feedClose`. Only the first call counts. */
  end(code: number, reason: string): void {
    if (this.#ending.signal.aborted) {
      return
    }
    this.#ending.abort()
    // A socket that is not read would never see the peer's close.
    this.#options.socket.setReading(true)
    this.#options.socket.close(code, reason)
  }

  /** Cuts the connection without waiting for the peer. */
  cut(): void {
    this.#options.socket.terminate()
  }

  /** Takes note that the socket has closed. */
  onClose(): void {
    this.#ending.abort()
    const { hub, registry, onError } = this.#options
    hub.remove(this)
    void this.#messages.handled
      .then(() => this.#recordedOpen)
      .then(async () => {
        if (this.#joined !== undefined) {
          const { node, instance } = this.#joined
          await registry.setConnected({ node, instance, connection: this.#id }, false)
        }
      })
      // For display only; the node's next connection corrects it.
      .catch(onError)
      .then(this.#resolveEnded)
  }

  async #handle(message: NodeMessage): Promise<void> {
    if (this.#ending.signal.aborted) {
      return
    }
    if (message.type === 'hello') {
      await this.#hello(message)
      return
    }
    const node = this.#joined
    if (node === undefined) {
      this.end(feedClose.badMessage, 'say hello first')
      return
    }
    switch (message.type) {
      case 'ack':
        return this.#ack(node, message)
      case 'renew':
        return this.#renewals.request(node, message)
      case 'attend':
        this.#answersInquiries = true
        return
      case 'connections':
        return this.#answer(node, message)
      case 'bye':
        return this.#bye(node)
    }
  }

  async #hello(hello: Hello): Promise<void> {
    if (this.#saidHello) {
      this.end(feedClose.badMessage, 'hello was said already')
      return
    }
    this.#saidHello = true
    const { registry, hub, onError, onJoin, onAnswer } = this.#options
    const node = instanceOf(hello)
    const outcome = await join(registry, this.token, hello)
    if (outcome.result === 'inactive_token') {
      this.end(feedClose.unauthorized, 'the token is not active')
      return
    }
    if (outcome.result === 'refused') {
      const { error } = outcome
      onJoin?.({ ...node, error })
      this.end(...joinRefusals[error])
      return
    }
    const { joined, cursor, resumed } = outcome
    const { since } = joined
    if (joined.isNew) {
      onJoin?.({ ...node, replaced: joined.replaced })
    }
    if (this.#ending.signal.aborted) {
      return
    }
    this.#joined = { ...node, since }
    if (!hub.claim(this)) {
      return
    }
    // Not awaited: for display only.
    this.#recordedOpen = registry
      .setConnected({ ...node, connection: this.#id }, true)
      .catch(onError)
    this.#progress.sent = cursor
    const inquiries = onAnswer === undefined ? {} : { inquiries: true }
    await this.#send({ type: 'welcome', cursor, resumed, since, ...inquiries })
    // Not awaited: acknowledgements are handled during the backfill.
    void this.#events.start().catch((error) => this.#fail(error))
  }

  async #ack({ node, instance }: JoinedNode, { cursor, revocations }: Ack): Promise<void> {
    const { registry } = this.#options
    // The node does not repeat an acknowledgement on this connection.
    await retryWhileUnavailable(this.#ending.signal, () =>
      registry.ackRevocations({ node, instance }, revocations, cursor),
    )
    this.#progress.acked = cursor
  }

  /** Takes one answer to each inquiry that was sent: a node cannot make auth store anything else. */
  #answer({ node, instance }: JoinedNode, answer: Connections): void {
    if (this.#inquiries.close(answer.id)) {
      this.#options.onAnswer?.({ node, instance }, answer)
    }
  }

  async #bye({ node, instance }: JoinedNode): Promise<void> {
    const { registry } = this.#options
    this.#events.stop()
    await retryWhileUnavailable(this.#ending.signal, () => registry.leaveNode({ node, instance }))
    await this.#send({ type: 'goodbye' })
    this.end(1000, 'bye')
  }

  async #send(message: AuthMessage | Buffer): Promise<void> {
    if (!this.#ending.signal.aborted) {
      await this.#options.socket.send(Buffer.isBuffer(message) ? message : encode(message))
    }
  }

  #fail(error: unknown): void {
    const code = error instanceof RegistryError ? error.code : undefined
    if (code === 'node_replaced') {
      this.end(...joinRefusals[code])
      return
    }
    if (code === 'bad_cursor') {
      this.end(feedClose.badMessage, 'the cursor is not one of this feed')
      return
    }
    this.#options.onError(error)
    this.end(feedClose.goingAway, 'reconnect')
  }
}
