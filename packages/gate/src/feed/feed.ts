import { randomBytes } from 'node:crypto'
import {
  type Ack,
  type AuthMessage,
  Events,
  feedClose,
  Goodbye,
  Inquire,
  Lease,
  maxAcked,
  Welcome,
} from '@portcullis/contracts/feed'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyBaseLogger } from 'fastify'
import type { Credentials } from '../auth/credentials.js'
import type { Lookup } from '../auth/lookup.js'
import type { NodeLease } from '../grants/lease.js'
import type { Applied, Watch } from '../grants/watch.js'
import type { GateStats } from '../stats.js'
import {
  type Dial,
  FeedConnection,
  FeedGarbage,
  type FeedTiming,
  isRefusal,
} from './feed-connection.js'
import { reintrospect } from './reintrospect.js'
import { Renewals } from './renewals.js'

const checks = {
  welcome: TypeCompiler.Compile(Welcome),
  events: TypeCompiler.Compile(Events),
  lease: TypeCompiler.Compile(Lease),
  inquire: TypeCompiler.Compile(Inquire),
  goodbye: TypeCompiler.Compile(Goodbye),
}

/** How many acknowledgements are said again after a reconnect. */
const maxRepeated = 64

/** An acknowledgement, and whether the effects that it has to wait for are over. */
interface WaitingAck {
  readonly cursor: string
  readonly applied: Applied[]
  over: boolean
}

interface FeedOptions {
  url: URL
  node: string
  /** Where the node serves clients. */
  nodeUrl?: string | undefined
  credentials: Pick<Credentials, 'token' | 'renew'>
  timing: FeedTiming
  watch: Watch
  lease: NodeLease
  lookup: Lookup
  stats: GateStats
  log: FastifyBaseLogger
  /** Default: a WebSocket. */
  dial?: Dial
}

/**
 * Follows the revocation feed: applies its events to the watch in order, acknowledges what it has
 * closed, renews the lease, and says why nothing is admitted when nothing is.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #connection: FeedConnection
  readonly #renewals: Renewals
  /** What proves that an acknowledgement comes from this process. */
  readonly #secret = randomBytes(32).toString('base64url')
  /** Since when this process has the node's name, as its first welcome said. */
  #since: number | undefined
  /** The last position applied with nothing skipped before it: where to resume. */
  #resumeFrom: string | undefined
  /** What this connection's hello said. */
  #asked: string | undefined
  /** The position this connection has told, whether or not what came before it is known. */
  #told = ''
  #welcomed = false
  /** Set while every live token is asked for again; ends with the connection. */
  #resync: AbortController | undefined
  /** Applied while acknowledging had to wait for a resync. */
  #unacked: Applied[] = []
  /** Acknowledgements that wait for effects, in the order of the feed. */
  #waiting: WaitingAck[] = []
  /** The last that were sent: auth may not have read them when a connection breaks. */
  #sent: Ack[] = []
  #closing = false
  #saidGoodbye: (() => void) | undefined
  #started: (() => void) | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    const { url, credentials, timing, log, stats, lease, dial } = options
    this.#connection = new FeedConnection({
      url,
      credentials,
      timing,
      log,
      ...(dial === undefined ? {} : { dial }),
      listener: {
        opened: () => this.#opened(),
        received: (text) => this.#received(text),
        lost: (code) => this.#lost(code),
      },
      reconnecting: () => {
        stats.feedReconnects++
        this.#started?.()
      },
    })
    this.#renewals = new Renewals({
      lease,
      firstMs: timing.renewMs,
      send: (renewal) => this.#connection.send({ type: 'renew', renewal }),
      unanswered: () => this.#connection.drop('auth does not renew the lease'),
    })
    lease.listen({
      lost: () => {
        stats.leasesLost++
        if (!this.#closing) {
          log.error('gate: the lease is out; every connection is held')
        }
      },
      regained: () => {
        log.info('gate: the lease is held; connections are let through')
        this.#started?.()
      },
    })
  }

  /**
   * Why this node is not at its best; undefined when it is. Before anything is held or refused: while
   * the connection is away for a moment, other nodes are the better choice for newcomers.
   */
  get problem(): string | undefined {
    if (this.#welcomed && this.#options.watch.inSync) {
      return undefined
    }
    if (this.#resync !== undefined) {
      return 'every live token is being asked for again'
    }
    return this.#connection.problem ?? 'the revocation feed is not connected, or gives no lease'
  }

  /** Why this process has to end: a later one has the node's name; undefined while none has. */
  get replaced(): string | undefined {
    return this.#connection.refusal === feedClose.replaced ? this.#connection.problem : undefined
  }

  /** Connects; resolves when the first try has ended, or after `waitMs`. */
  start(waitMs: number): Promise<void> {
    this.#connection.start()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      this.#started = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /**
   * Leaves: no receipt waits for this node any more. Only said when no connection is left; a node
   * that still has some is rather waited for than wrongly counted out.
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#started?.()
    const { watch } = this.#options
    if (this.#welcomed && !watch.held && !watch.acting) {
      // Before nothing waits for this node any more: an answer of auth may still be on its way here,
      // and what it would admit nobody would close.
      watch.interrupted()
      this.#options.lease.close()
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, this.#options.timing.goodbyeMs)
        this.#saidGoodbye = () => {
          clearTimeout(deadline)
          resolve()
        }
        this.#connection.send({ type: 'bye' })
      })
    }
    this.#resync?.abort()
    this.#renewals.stop()
    await this.#connection.close()
  }

  #opened(): void {
    const { node, nodeUrl } = this.#options
    this.#asked = this.#resumeFrom
    this.#connection.send({
      type: 'hello',
      node,
      secret: this.#secret,
      ...(this.#since === undefined ? {} : { since: this.#since }),
      ...(this.#asked === undefined ? {} : { cursor: this.#asked }),
      ...(nodeUrl === undefined ? {} : { url: nodeUrl }),
    })
  }

  #received(text: string): boolean {
    let message: AuthMessage
    try {
      message = parse(text)
    } catch (error) {
      this.#options.stats.feedGarbage++
      throw error
    }
    switch (message.type) {
      case 'welcome':
        this.#welcome(message)
        break
      case 'events':
        this.#events(message)
        break
      case 'lease':
        this.#renewals.answered(message)
        break
      case 'inquire':
        this.#inquired(message)
        break
      case 'goodbye':
        this.#saidGoodbye?.()
        break
    }
    return this.#welcomed
  }

  #welcome({ cursor, resumed, since, inquiries = false }: Welcome): void {
    if (this.#welcomed) {
      this.#garbage('a second welcome')
    }
    if (resumed && cursor !== this.#asked) {
      this.#garbage('a welcome to a position not asked for')
    }
    this.#welcomed = true
    this.#since = since
    this.#told = cursor
    if (inquiries) {
      this.#connection.send({ type: 'attend' })
    }
    if (resumed) {
      // Word for word: auth takes each count once.
      for (const ack of this.#sent) {
        this.#connection.send(ack)
      }
      this.#synced()
      return
    }
    const { watch, log } = this.#options
    // From here on a connection that breaks must not resume: what was skipped is not yet made up for.
    this.#resumeFrom = undefined
    this.#unacked = []
    this.#waiting = []
    watch.interrupted()
    if (watch.size === 0 && !watch.acting) {
      this.#synced()
      return
    }
    log.warn(`gate: the feed has lost its place; asking again for ${watch.size} live tokens`)
    this.#options.stats.resyncs++
    const resync = new AbortController()
    this.#resync = resync
    void reintrospect(watch, this.#options.lookup, resync.signal).then((through) => {
      if (!through || this.#resync !== resync) {
        return
      }
      this.#resync = undefined
      // Any effect may be one of a revocation that was skipped.
      this.#synced(watch.effectsOver({ all: true }))
    })
  }

  #events({ cursor, revocations }: Events): void {
    if (!this.#welcomed) {
      this.#garbage('events before the welcome')
    }
    this.#unacked.push(...this.#options.watch.apply(revocations))
    const last = revocations.at(-1)
    if (last !== undefined) {
      this.#options.stats.feedLagMs = Math.max(0, Date.now() - last.at)
    }
    this.#told = cursor
    // An acknowledgement says that everything up to its cursor is applied: not yet, in a resync.
    if (this.#resync === undefined) {
      this.#acknowledge(this.#options.watch.effectsOver())
    }
  }

  #inquired(inquiry: Inquire): void {
    if (!this.#welcomed) {
      this.#garbage('an inquiry before the welcome')
    }
    const { watch } = this.#options
    const { id } = inquiry
    this.#connection.send({ type: 'connections', id, ...watch.countConnections(inquiry) })
  }

  #synced(effects?: Promise<void>): void {
    this.#acknowledge(effects)
    if (this.#closing) {
      return
    }
    this.#options.watch.synced()
    this.#options.log.info('gate: the revocation feed is in sync')
    this.#renewals.start()
  }

  /** Acknowledges everything up to here, once `effects` are over and all before it is acknowledged. */
  #acknowledge(effects: Promise<void> | undefined): void {
    this.#resumeFrom = this.#told
    this.#options.stats.feedCursor = this.#told
    const ack = { cursor: this.#told, applied: this.#unacked, over: effects === undefined }
    this.#unacked = []
    this.#waiting.push(ack)
    void effects?.then(() => {
      ack.over = true
      this.#acknowledgeOver()
    })
    this.#acknowledgeOver()
  }

  /** Sends the acknowledgements at the front whose effects are over, as one. */
  #acknowledgeOver(): void {
    const next = this.#waiting.findIndex(({ over }) => !over)
    const ready = this.#waiting.splice(0, next === -1 ? this.#waiting.length : next)
    const cursor = ready.at(-1)?.cursor
    if (cursor === undefined) {
      return
    }
    const applied = merged(ready.flatMap((ack) => ack.applied))
    do {
      const revocations = applied.splice(0, maxAcked)
      const ack: Ack = { type: 'ack', cursor, revocations }
      this.#connection.send(ack)
      if (revocations.length > 0) {
        this.#sent.push(ack)
      }
    } while (applied.length > 0)
    this.#sent.splice(0, this.#sent.length - maxRepeated)
  }

  #lost(code: number): void {
    if (this.#welcomed && !this.#closing) {
      this.#options.log.warn('gate: the revocation feed is lost')
    }
    this.#welcomed = false
    this.#renewals.stop()
    // Another process stands for this node: what is admitted from here on nobody would tell of.
    if (isRefusal(code)) {
      this.#options.watch.interrupted()
    }
    this.#resync?.abort()
    this.#resync = undefined
    // What a resync left unsaid is covered by the next one.
    this.#unacked = []
    // A position that auth does not understand would be refused for ever.
    if (code === feedClose.badMessage) {
      this.#resumeFrom = undefined
    }
    this.#saidGoodbye?.()
  }

  #garbage(what: string): never {
    this.#options.stats.feedGarbage++
    throw new FeedGarbage(what)
  }
}

/** A revocation of everything is told once for each partition, under one id. */
function merged(applied: readonly Applied[]): Applied[] {
  const counts = new Map<string, number>()
  for (const { id, connectionsClosed } of applied) {
    counts.set(id, (counts.get(id) ?? 0) + connectionsClosed)
  }
  return [...counts].map(([id, connectionsClosed]) => ({ id, connectionsClosed }))
}

function parse(text: string): AuthMessage {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    throw new FeedGarbage('not JSON')
  }
  for (const check of Object.values(checks)) {
    if (check.Check(message)) {
      return message
    }
  }
  throw new FeedGarbage('an unknown message')
}
