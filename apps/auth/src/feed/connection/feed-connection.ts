import { createHash, randomBytes } from 'node:crypto'
import {
  type Ack,
  type AuthMessage,
  type Connections,
  feedClose,
  type Hello,
  type Inquire,
  type NodeMessage,
  type Renew,
} from '@portcullis/contracts/feed'
import type { SelectableToken } from '@portcullis/contracts/revocations'
import { type NodeInstance, RegistryError, type Renewed, reaches } from '../../registry/index.js'
import type { Batch, FeedHub } from '../hub.js'
import { decode, encode } from '../message.js'
import type { FeedRegistry } from '../registry.js'
import { retry } from '../retry.js'
import type { FeedSocket } from './socket.js'
import { at } from './timer.js'

/** Events that one message of a catch-up carries, for each partition. */
const eventsAtOnce = 500
/** A node that leaves this much unread is too slow to be told anything in time. */
const maxBacklogBytes = 8 * 1024 * 1024
/** Messages that may wait to be acted on; then the socket is not read. */
const maxWaiting = 16

/** Inquiries whose answers are waited for; what is older is given up. */
const maxInquiries = 64

/** The token that a node opened the feed with. */
export interface FeedToken extends SelectableToken {
  /** Unix milliseconds. */
  expiresAt: number
}

export interface FeedConnectionOptions {
  registry: FeedRegistry
  hub: FeedHub
  socket: FeedSocket
  token: FeedToken
  helloMs: number
  onError: (error: unknown) => void
  /** Hears what the node answers to `inquire`; without this it is told of no inquiries. */
  onAnswer?: (node: NodeInstance, answer: Connections) => void
  /** Hears of a process that is new to its name, and of one that was refused. */
  onJoin?: (outcome: JoinOutcome) => void
}

/** What came of a hello. */
export interface JoinOutcome extends NodeInstance {
  /** The process that had the name before. */
  replaced?: string | undefined
  /** Why it was refused. */
  error?: JoinError
}

const joinErrors = ['node_replaced', 'node_name_taken', 'node_name_not_allowed'] as const
type JoinError = (typeof joinErrors)[number]

/**
 * One node's connection to the feed: hello, welcome, events, acks, lease, bye, as contracts/feed.ts says.
 *
 * Events reach it in two ways. While it catches up it reads the feed itself; once it stands exactly
 * where the tail stands, it takes what the tail brings. It changes from one to the other in one
 * synchronous step at equal positions, so nothing comes twice and nothing is left out.
 *
 * A renewal is counted only when the node has acknowledged everything that was committed before the
 * renewal came. The registry compares when it counts, so that a renewal that was long on its way from
 * here is worth no more. Whatever the node suffers or does, and wherever its messages were delayed,
 * nothing that it leaves unacknowledged is waited for longer than one lease; an instance whose tail is
 * stuck grants nothing.
 */
export class FeedConnection {
  readonly token: FeedToken
  /** Resolves when the socket has closed and everything about it is recorded. */
  readonly ended: Promise<void>
  readonly #options: FeedConnectionOptions
  readonly #id = randomBytes(12).toString('base64url')
  readonly #stop = new AbortController()
  #finish: () => void = () => {}
  #stage: 'new' | 'joining' | 'catching up' | 'live' | 'left' = 'new'
  #node: NodeInstance | undefined
  /** Since when it has its name, as the registry told. */
  #since = 0
  /** Whether the registry has noted that this connection is open. */
  #noted: Promise<void> = Promise.resolve()
  /** Everything up to here has been sent. */
  #cursor = ''
  /** The node has acknowledged everything up to here, and the registry has taken it. */
  #acked = ''
  /** Is told when either has moved, or the connection has ended. */
  #onMoved = () => {}
  /** The renewal that waits for its lease. */
  #renewal: number | undefined
  #granting = false
  #attends = false
  /** Ids of inquiries that it has not answered. */
  readonly #inquiries = new Set<string>()
  #waiting = 0
  #work: Promise<void> = Promise.resolve()

  /** Attaches itself to the hub at once, before anything is awaited. */
  constructor(options: FeedConnectionOptions) {
    this.#options = options
    this.token = options.token
    this.ended = new Promise((resolve) => {
      this.#finish = resolve
    })
    const { signal } = this.#stop
    at(Date.now() + options.helloMs, signal, () => {
      if (this.#stage === 'new') {
        this.end(feedClose.badMessage, 'say hello first')
      }
    })
    at(options.token.expiresAt, signal, () => {
      this.end(feedClose.unauthorized, 'the token has expired')
    })
    options.hub.add(this)
  }

  /** Who it is, once it has said hello. */
  get node(): NodeInstance | undefined {
    return this.#node
  }

  /** Of two processes under one name the one with the greater number came later. */
  get since(): number {
    return this.#since
  }

  /** A message has arrived. They are acted on one after another. */
  onMessage(text: string | undefined): void {
    if (this.#stop.signal.aborted) {
      return
    }
    const message = text === undefined ? undefined : decode(text)
    if (message === undefined) {
      this.end(feedClose.badMessage, 'not a message of the feed')
      return
    }
    this.#waiting += 1
    if (this.#waiting === maxWaiting) {
      this.#options.socket.setReading(false)
    }
    this.#work = this.#work.then(async () => {
      await this.#act(message).catch((error) => this.#fail(error))
      this.#waiting -= 1
      if (this.#waiting === maxWaiting - 1) {
        this.#options.socket.setReading(true)
      }
    })
  }

  /** The tail has brought events. */
  onBatch(batch: Batch): void {
    if (this.#stage !== 'live' || this.#stop.signal.aborted) {
      return
    }
    void this.#options.socket.send(batch.encoded)
    this.#moveTo(batch.cursor)
    if (this.#options.socket.backlog > maxBacklogBytes) {
      this.end(feedClose.goingAway, 'too slow; come back')
    }
  }

  /** Asks the node; gives whether it answers inquiries. */
  inquire(inquiry: Inquire): boolean {
    if (!this.#attends) {
      return false
    }
    this.#inquiries.add(inquiry.id)
    const [oldest] = this.#inquiries
    if (this.#inquiries.size > maxInquiries && oldest !== undefined) {
      this.#inquiries.delete(oldest)
    }
    void this.#send(inquiry)
    return true
  }

  /** Closes with a code of `feedClose`. Only the first call counts. */
  end(code: number, reason: string): void {
    if (this.#stop.signal.aborted) {
      return
    }
    this.#stop.abort()
    this.#onMoved()
    // A socket that is not read would never see the peer's close.
    this.#options.socket.setReading(true)
    this.#options.socket.close(code, reason)
  }

  /** Cuts the connection without waiting for the peer. */
  cut(): void {
    this.#options.socket.terminate()
  }

  /** The socket has closed. */
  onClose(): void {
    this.#stop.abort()
    this.#onMoved()
    const { hub, registry } = this.#options
    hub.remove(this)
    void this.#work
      .then(() => this.#noted)
      .then(async () => {
        if (this.#node !== undefined) {
          await registry.setConnected({ ...this.#node, connection: this.#id }, false)
        }
      })
      // Shown to people only; the next connection of the node sets it right.
      .catch((error) => this.#options.onError(error))
      .then(this.#finish)
  }

  async #act(message: NodeMessage): Promise<void> {
    if (this.#stop.signal.aborted) {
      return
    }
    if (message.type === 'hello') {
      await this.#hello(message)
    } else if (this.#node === undefined) {
      this.end(feedClose.badMessage, 'say hello first')
    } else if (message.type === 'ack') {
      await this.#ack(this.#node, message)
    } else if (message.type === 'renew') {
      this.#renew(this.#node, message)
    } else if (message.type === 'attend') {
      this.#attends = true
    } else if (message.type === 'connections') {
      this.#answer(this.#node, message)
    } else {
      await this.#bye(this.#node)
    }
  }

  async #hello(hello: Hello): Promise<void> {
    if (this.#stage !== 'new') {
      this.end(feedClose.badMessage, 'hello was said already')
      return
    }
    this.#stage = 'joining'
    const { registry, hub, onError } = this.#options
    const { identity } = this.token
    const node = { node: hello.node, instance: instanceOf(hello.secret) }
    // At once: each is a round trip to Redis, which may be slow.
    const [isActive, names, resumed] = await Promise.all([
      // Asked again, though the upgrade was admitted on the same answer: only now the hub would tell of
      // a revocation, and one may have been committed in between.
      registry.isActive(this.token),
      registry.nodeNames(identity),
      this.#resumes(hello),
    ])
    if (!isActive) {
      this.end(feedClose.unauthorized, 'the token is not active')
      return
    }
    if (!mayBeNamed(names, hello.node)) {
      this.#refuse(node, 'node_name_not_allowed')
      return
    }
    const { since, url } = hello
    const joined = await registry.joinNode({ ...node, identity, since, url }).catch((error) => {
      const code = joinErrorOf(error)
      if (code === undefined) {
        throw error
      }
      this.#refuse(node, code)
    })
    if (joined === undefined) {
      return
    }
    if (joined.isNew) {
      this.#options.onJoin?.({ ...node, replaced: joined.replaced })
    }
    if (this.#stop.signal.aborted) {
      return
    }
    this.#node = node
    this.#since = joined.since
    if (!hub.claim(this)) {
      return
    }
    // Shown to people only; a welcome need not wait for it.
    this.#noted = registry.setConnected({ ...node, connection: this.#id }, true).catch(onError)
    this.#cursor = resumed ? (hello.cursor ?? joined.cursor) : joined.cursor
    const inquiries = this.#options.onAnswer === undefined ? {} : { inquiries: true }
    const welcome = { type: 'welcome', cursor: this.#cursor, resumed, since: joined.since } as const
    await this.#send({ ...welcome, ...inquiries })
    this.#stage = 'catching up'
    // Not awaited: acks are heard while it catches up.
    void this.#catchUp().catch((error) => this.#fail(error))
  }

  #refuse(node: NodeInstance, error: JoinError): void {
    this.#options.onJoin?.({ ...node, error })
    this.end(...refusals[error])
  }

  /**
   * Whether everything after the node's cursor can be told. The cursor settles no receipt: an ack
   * that was lost with the connection is said again after the welcome, with what it has closed.
   */
  async #resumes({ cursor }: Hello): Promise<boolean> {
    if (cursor === undefined) {
      return false
    }
    return (await this.#options.registry.readFeed(cursor, 1)) !== 'lost'
  }

  async #catchUp(): Promise<void> {
    const { registry, hub } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted && this.#stage === 'catching up') {
      const { position } = hub
      if (this.#cursor === position) {
        this.#stage = 'live'
        return
      }
      const read = await registry.readFeed(this.#cursor, eventsAtOnce)
      if (signal.aborted) {
        return
      }
      if (read === 'lost') {
        this.end(feedClose.goingAway, 'the feed has to be read anew')
        return
      }
      if (read.revocations.length === 0) {
        // It has read ahead of the tail, which will come by.
        await hub.movedFrom(position)
        continue
      }
      const sent = this.#send({ type: 'events', ...read })
      this.#moveTo(read.cursor)
      await sent
    }
  }

  async #ack({ node, instance }: NodeInstance, { cursor, revocations }: Ack): Promise<void> {
    const { registry } = this.#options
    // The node will not say it again, so it is said to the registry until it has heard.
    await retry(isUnavailable, this.#stop.signal, () =>
      registry.ackRevocations({ node, instance }, revocations, cursor),
    )
    this.#acked = cursor
    this.#onMoved()
  }

  /** Not awaited: what a node has closed is heard while its lease waits. */
  #renew(node: NodeInstance, { renewal }: Renew): void {
    this.#renewal = renewal
    if (!this.#granting) {
      void this.#grant(node).catch((error) => this.#fail(error))
    }
  }

  async #grant(node: NodeInstance): Promise<void> {
    const { signal } = this.#stop
    this.#granting = true
    while (this.#renewal !== undefined && !signal.aborted) {
      const renewal = this.#renewal
      this.#renewal = undefined
      const renewed = await retry(isUnavailable, signal, () => this.#count(node))
      if (renewed === undefined) {
        return
      }
      // Receipts of what was committed until now may be complete without it: it may have been fenced,
      // and a renewal that got no answer, or came from an older connection, may have ended that.
      await this.#until(() => reaches(this.#cursor, renewed.cursor))
      await this.#send({ type: 'lease', renewal, ttlMs: renewed.ttlMs })
    }
    this.#granting = false
  }

  /**
   * Counts a renewal that has come. When revocations wait for the node, it is counted once the node has
   * acknowledged all that had been committed when it was tried first. Undefined: the connection has ended.
   */
  async #count({ node, instance }: NodeInstance): Promise<Renewed | undefined> {
    const { registry } = this.#options
    const renewing = { node, instance, since: this.#since }
    let renewed = await registry.renewLease(renewing)
    while (!renewed.counted) {
      const { cursor, askedAt } = renewed
      await this.#until(() => reaches(this.#acked, cursor))
      if (this.#stop.signal.aborted) {
        return undefined
      }
      // A Redis that was restarted may have lost it, and the node has no cause to say it again.
      await registry.ackRevocations({ node, instance }, [], this.#acked)
      renewed = await registry.renewLease(renewing, askedAt)
    }
    return renewed
  }

  /** Resolves when `condition` holds, or the connection has ended. */
  async #until(condition: () => boolean): Promise<void> {
    while (!this.#stop.signal.aborted && !condition()) {
      await new Promise<void>((resolve) => {
        this.#onMoved = resolve
      })
    }
  }

  /** Only what was asked is taken, and once: a node cannot make auth keep anything else. */
  #answer(node: NodeInstance, answer: Connections): void {
    if (this.#inquiries.delete(answer.id)) {
      this.#options.onAnswer?.(node, answer)
    }
  }

  #moveTo(cursor: string): void {
    this.#cursor = cursor
    this.#onMoved()
  }

  async #bye({ node, instance }: NodeInstance): Promise<void> {
    const { registry } = this.#options
    this.#stage = 'left'
    await retry(isUnavailable, this.#stop.signal, () => registry.leaveNode({ node, instance }))
    await this.#send({ type: 'goodbye' })
    this.end(1000, 'bye')
  }

  async #send(message: AuthMessage): Promise<void> {
    if (!this.#stop.signal.aborted) {
      await this.#options.socket.send(encode(message))
    }
  }

  #fail(error: unknown): void {
    const code = error instanceof RegistryError ? error.code : undefined
    if (code === 'node_replaced') {
      this.end(...refusals[code])
      return
    }
    if (code === 'bad_cursor') {
      this.end(feedClose.badMessage, 'the cursor is not of this feed')
      return
    }
    this.#options.onError(error)
    this.end(feedClose.goingAway, 'come back')
  }
}

const refusals: Readonly<Record<JoinError, [code: number, reason: string]>> = {
  node_replaced: [feedClose.replaced, 'a later process has this name'],
  node_name_taken: [feedClose.nameRefused, 'a node of another identity has this name'],
  node_name_not_allowed: [feedClose.nameRefused, 'this identity may not use this node name'],
}

function joinErrorOf(error: unknown): JoinError | undefined {
  return error instanceof RegistryError ? joinErrors.find((code) => code === error.code) : undefined
}

/** What is shown of a process, as `Hello` says: whoever knows the secret is the process. */
function instanceOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Whether one of the names is `node`, or its beginning and `*`. */
function mayBeNamed(names: readonly string[] | undefined, node: string): boolean {
  return (
    names === undefined ||
    names.some((name) => (name.endsWith('*') ? node.startsWith(name.slice(0, -1)) : node === name))
  )
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'registry_unavailable'
}
