import { setTimeout as delay } from 'node:timers/promises'
import { feedClose, type Inquire } from '@portcullis/contracts/feed'
import {
  coversToken,
  type RevocationEvent,
  type SelectableToken,
} from '@portcullis/contracts/revocations'
import type { FeedRead, NodeInstance } from '../registry/index.js'
import { type WaitLimits, Wakeup } from '../wakeup.js'
import { encode } from './message.js'

/** Events as the tail read them, encoded once for all nodes. */
export interface Batch {
  /** The position after the last event. */
  cursor: string
  revocations: readonly RevocationEvent[]
  encoded: Buffer
}

/** A node's connection, as the hub uses it. */
export interface HubConnection {
  readonly token: SelectableToken
  /** Undefined until the node has joined. */
  readonly node: NodeInstance | undefined
  /** Of two processes under one name the later has the greater. */
  readonly since: number
  /** Resolves when the socket has closed and the registry has recorded it. */
  readonly ended: Promise<void>
  onBatch(batch: Batch): void
  /** Returns false when the node answers no inquiries. */
  inquire(inquiry: Inquire): boolean
  end(code: number, reason: string): void
  /** Cuts the connection without waiting for the peer. */
  cut(): void
}

/** The feed connections of this process; its one tail feeds them. */
export class FeedHub {
  readonly #connections = new Set<HubConnection>()
  readonly #moved = new Wakeup()
  #position: string
  #lastEventAt = 0
  #closing = false

  /** @param position - the cursor where the tail starts */
  constructor(position: string) {
    this.#position = position
  }

  /** The cursor after the last batch of the tail. */
  get position(): string {
    return this.#position
  }

  /** Unix milliseconds of the newest revocation; 0 before the first. */
  get lastEventAt(): number {
    return this.#lastEventAt
  }

  /** Number of nodes connected to this process. */
  get nodes(): number {
    return [...this.#connections].filter(({ node }) => node !== undefined).length
  }

  /** Sends an inquiry to every node connected here. Returns the nodes that answer no inquiries. */
  inquire(inquiry: Inquire): NodeInstance[] {
    const unable: NodeInstance[] = []
    for (const connection of this.#connections) {
      if (connection.node !== undefined && !connection.inquire(inquiry)) {
        unable.push(connection.node)
      }
    }
    return unable
  }

  /** Adds a connection, which receives every later batch. */
  add(connection: HubConnection): void {
    this.#connections.add(connection)
    if (this.#closing) {
      connection.end(feedClose.goingAway, 'closing')
    }
  }

  remove(connection: HubConnection): void {
    this.#connections.delete(connection)
  }

  /**
   * Ends the other connections under the name of a node that has joined. When one of them belongs to a
   * later process, ends the given connection instead and returns false: two processes that join at the
   * same time may arrive here in either order.
   */
  claim(connection: HubConnection): boolean {
    for (const other of this.#connections) {
      if (other === connection || other.node?.node !== connection.node?.node) {
        continue
      }
      // The same process may reconnect before its old connection is seen to be dead.
      if (other.node?.instance === connection.node?.instance) {
        other.end(feedClose.goingAway, 'a newer connection of this instance')
      } else if (other.since < connection.since) {
        other.end(feedClose.replaced, 'a later process has this name')
      } else {
        connection.end(feedClose.replaced, 'a later process has this name')
        return false
      }
    }
    return true
  }

  /** Handles events of the tail: hands them to every connection. */
  onEvents({ cursor, revocations }: FeedRead): void {
    const encoded = encode({ type: 'events', cursor, revocations })
    const batch: Batch = { cursor, revocations, encoded }
    this.#position = cursor
    this.#lastEventAt = Math.max(this.#lastEventAt, revocations.at(-1)?.at ?? 0)
    for (const connection of this.#connections) {
      // A node whose own token is revoked is told first, so that it closes the covered sockets now
      // and not after it has reconnected.
      connection.onBatch(batch)
      if (revocations.some((event) => coversToken(event, connection.token))) {
        connection.end(feedClose.unauthorized, 'the token has been revoked')
      }
    }
    this.#moved.wake()
  }

  /** Handles a gap in the tail: the nodes may have missed events, so they reconnect and resume. */
  onLost(cursor: string): void {
    this.#position = cursor
    for (const connection of this.#connections) {
      connection.end(feedClose.goingAway, 'events may be missing; reconnect')
    }
    this.#moved.wake()
  }

  /** Resolves to true when the position is not `position`, or to false when a limit ends the wait. */
  movedFrom(position: string, limits?: WaitLimits): Promise<boolean> {
    return this.#moved.until(() => this.#position !== position, limits)
  }

  /** Ends every connection, waits for them at most `deadlineMs`, then cuts those that are left. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true
    const ended = [...this.#connections].map((connection) => {
      connection.end(feedClose.goingAway, 'closing')
      return connection.ended
    })
    const deadline = new AbortController()
    await Promise.race([
      Promise.all(ended),
      delay(deadlineMs, undefined, { signal: deadline.signal }).catch(() => undefined),
    ])
    deadline.abort()
    for (const connection of this.#connections) {
      connection.cut()
    }
  }
}
