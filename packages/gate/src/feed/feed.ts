import { randomBytes } from 'node:crypto'
import { defined } from '@portcullis/contracts/defined'
import {
  type AuthMessage,
  type Events,
  feedClose,
  type Inquire,
  type Welcome,
} from '@portcullis/contracts/feed'
import type { FastifyBaseLogger } from 'fastify'
import type { Credentials } from '../auth/credentials.js'
import type { Lookup } from '../auth/lookup.js'
import type { NodeLease } from '../grants/lease.js'
import type { Watch } from '../grants/watch.js'
import type { GateStats } from '../stats.js'
import { Acknowledgements } from './acknowledgements.js'
import type { Dial } from './dial.js'
import { FeedConnection, type FeedTiming, isRefusal } from './feed-connection.js'
import { FeedGarbage, parseMessage } from './messages.js'
import { reintrospect } from './reintrospect.js'
import { Renewals } from './renewals.js'

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
 * Follows the revocation feed: applies its events to the watch in order, acknowledges them, renews the
 * lease, and reports why the node admits nothing.
 *
 * Each connection begins with a hello. If auth can resume at the node's cursor, the missed events
 * follow. If it cannot, the node has skipped events: it stops admitting and introspects every live token
 * (a resync). Until the resync ends, the node acknowledges nothing and asks for no lease.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #connection: FeedConnection
  readonly #renewals: Renewals
  readonly #acknowledgements: Acknowledgements
  /** Proves that an acknowledgement comes from this process. */
  readonly #secret = randomBytes(32).toString('base64url')
  /** When this process took the node's name, as its first welcome said. */
  #since: number | undefined
  /** The last position that was applied with no event skipped before it. */
  #resumeFrom: string | undefined
  /** The cursor in the hello of this connection. */
  #requestedCursor: string | undefined
  /** The newest cursor of this connection; events before it may have been skipped. */
  #latestCursor = ''
  #welcomed = false
  /** Set during a resync; aborted with the connection. */
  #resync: AbortController | undefined
  #closing = false
  #saidGoodbye: (() => void) | undefined
  #started: (() => void) | undefined

  constructor(options: FeedOptions) {
    this.#options = options
    this.#connection = this.#connect(options)
    this.#renewals = new Renewals({
      lease: options.lease,
      firstMs: options.timing.renewMs,
      send: (renewal) => this.#connection.send({ type: 'renew', renewal }),
      onUnanswered: () => this.#connection.drop('auth does not renew the lease'),
    })
    this.#acknowledgements = new Acknowledgements((ack) => this.#connection.send(ack))
    this.#followLease(options)
  }

  /**
   * Returns why load balancers should prefer other nodes; undefined when all is well. Set as soon as the
   * connection is lost, while the lease still lets the node admit.
   */
  get problem(): string | undefined {
    if (this.#welcomed && this.#options.watch.inSync) {
      return undefined
    }
    if (this.#resync !== undefined) {
      return 'introspecting every live token again'
    }
    return this.#connection.problem ?? 'the revocation feed is not connected, or gives no lease'
  }

  /** Returns why this process has to end: a later process has the node's name. */
  get replaced(): string | undefined {
    return this.#connection.refusal === feedClose.replaced ? this.#connection.problem : undefined
  }

  /** Connects. Resolves when the first try has ended, or after `waitMs`. */
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
   * Disconnects. Says bye, after which no receipt waits for this node, only when no connection and no
   * effect is left; otherwise receipts wait until the node's lease runs out.
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#started?.()
    const { watch } = this.#options
    if (this.#welcomed && !watch.inUse && !watch.hasEffects) {
      // Before the bye: auth may still answer an introspection, and after the bye no revocation would
      // reach what that answer admits.
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

  #connect({ url, credentials, timing, log, stats, dial }: FeedOptions): FeedConnection {
    return new FeedConnection({
      url,
      credentials,
      timing,
      log,
      ...defined({ dial }),
      listener: {
        opened: () => this.#sendHello(),
        received: (text) => this.#received(text),
        lost: (code) => this.#lost(code),
      },
      onReconnecting: () => {
        stats.feedReconnects++
        this.#started?.()
      },
    })
  }

  #followLease({ lease, stats, log }: FeedOptions): void {
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

  #sendHello(): void {
    const { node, nodeUrl } = this.#options
    this.#requestedCursor = this.#resumeFrom
    this.#connection.send({
      type: 'hello',
      node,
      secret: this.#secret,
      ...defined({ since: this.#since, cursor: this.#requestedCursor, url: nodeUrl }),
    })
  }

  #received(text: string): boolean {
    let message: AuthMessage
    try {
      message = parseMessage(text)
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
    if (resumed && cursor !== this.#requestedCursor) {
      this.#garbage('a welcome to a position not asked for')
    }
    this.#welcomed = true
    this.#since = since
    this.#latestCursor = cursor
    if (inquiries) {
      this.#connection.send({ type: 'attend' })
    }
    if (resumed) {
      this.#acknowledgements.repeat()
      this.#synced()
      return
    }
    this.#startResync()
  }

  /** Introspects every live token: events were skipped. */
  #startResync(): void {
    const { watch, log } = this.#options
    // If the connection breaks before the resync ends, the next one must not resume.
    this.#resumeFrom = undefined
    this.#acknowledgements.forgetUnsent()
    watch.interrupted()
    if (watch.size === 0 && !watch.hasEffects) {
      this.#synced()
      return
    }
    log.warn(`gate: the feed has lost its place; introspecting ${watch.size} live tokens again`)
    this.#options.stats.resyncs++
    const resync = new AbortController()
    this.#resync = resync
    void reintrospect(watch, this.#options.lookup, resync.signal).then((complete) => {
      if (!complete || this.#resync !== resync) {
        return
      }
      this.#resync = undefined
      // A skipped revocation may cover any effect.
      this.#synced(watch.effectsOver({ all: true }))
    })
  }

  #events({ cursor, revocations }: Events): void {
    if (!this.#welcomed) {
      this.#garbage('events before the welcome')
    }
    this.#acknowledgements.add(this.#options.watch.apply(revocations))
    const last = revocations.at(-1)
    if (last !== undefined) {
      this.#options.stats.feedLagMs = Math.max(0, Date.now() - last.at)
    }
    this.#latestCursor = cursor
    // An acknowledgement claims that every event up to its cursor is applied; during a resync some are not.
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

  #acknowledge(effects: Promise<void> | undefined): void {
    this.#resumeFrom = this.#latestCursor
    this.#options.stats.feedCursor = this.#latestCursor
    this.#acknowledgements.acknowledge(this.#latestCursor, effects)
  }

  #lost(code: number): void {
    if (this.#welcomed && !this.#closing) {
      this.#options.log.warn('gate: the revocation feed is lost')
    }
    this.#welcomed = false
    this.#renewals.stop()
    // Auth refuses this process, so revocations would go unseen: stop admitting.
    if (isRefusal(code)) {
      this.#options.watch.interrupted()
    }
    this.#resync?.abort()
    this.#resync = undefined
    // Added during a resync; the next resync covers it.
    this.#acknowledgements.forgetAdded()
    // Auth would refuse the same cursor on every connection.
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
