import { feedClose, type Inquire } from '@portcullis/contracts/feed'
import { coversToken, type RevocationEvent } from '@portcullis/contracts/revocations'
import type { FeedRead, NodeInstance } from '../registry/index.js'
import type { FeedConnection } from './connection/feed-connection.js'
import { encode } from './message.js'

/** Events as the tail brought them: from one position to the next, encoded once for every node. */
export interface Batch {
  from: string
  cursor: string
  revocations: readonly RevocationEvent[]
  encoded: Buffer
}

/** All feed connections of this process, fed by its one tail. */
export class FeedHub {
  readonly #connections = new Set<FeedConnection>()
  readonly #moves = new Set<() => void>()
  #position: string
  #lastEventAt = 0
  #closing = false

  constructor(position: string) {
    this.#position = position
  }

  /** Where the tail stands. */
  get position(): string {
    return this.#position
  }

  get lastEventAt(): number {
    return this.#lastEventAt
  }

  /** How many nodes have said hello here and not left. */
  get nodes(): number {
    return [...this.#connections].filter(({ node }) => node !== undefined).length
  }

  /** Asks every node that is here; gives those that answer no inquiries. */
  inquire(inquiry: Inquire): NodeInstance[] {
    const unable: NodeInstance[] = []
    for (const connection of this.#connections) {
      if (connection.node !== undefined && !connection.inquire(inquiry)) {
        unable.push(connection.node)
      }
    }
    return unable
  }

  /** Takes a connection in; from now on it hears what the tail brings. */
  add(connection: FeedConnection): void {
    this.#connections.add(connection)
    if (this.#closing) {
      connection.end(feedClose.goingAway, 'closing')
    }
  }

  remove(connection: FeedConnection): void {
    this.#connections.delete(connection)
    this.#moved()
  }

  /**
   * A node has said hello: any other connection under its name ends, unless that is a later process's.
   * Then this one ends, and the answer is false: two that joined at once may come here in either order.
   */
  claim(connection: FeedConnection): boolean {
    for (const other of this.#connections) {
      if (other === connection || other.node?.node !== connection.node?.node) {
        continue
      }
      // The same process has come back before its old connection was seen to be dead.
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

  /** The tail's handler: hands a batch to every connection. */
  onEvents({ cursor, revocations }: FeedRead): void {
    const encoded = encode({ type: 'events', cursor, revocations })
    const batch: Batch = { from: this.#position, cursor, revocations, encoded }
    this.#position = cursor
    this.#lastEventAt = Math.max(this.#lastEventAt, revocations.at(-1)?.at ?? 0)
    for (const connection of this.#connections) {
      // Told before it is sent away: it closes what the revocation covers now, and not when it is back.
      connection.onBatch(batch)
      if (revocations.some((event) => coversToken(event, connection.token))) {
        connection.end(feedClose.unauthorized, 'the token has been revoked')
      }
    }
    this.#moved()
  }

  /** The tail's handler: nobody knows what the nodes have missed, so they come back and are told. */
  onLost(cursor: string): void {
    this.#position = cursor
    for (const connection of this.#connections) {
      connection.end(feedClose.goingAway, 'the feed has to be read anew')
    }
    this.#moved()
  }

  /**
   * Resolves when the tail has moved on from `position`, or a connection has ended: true; or when
   * `signal` is aborted: false.
   */
  async movedFrom(position: string, signal?: AbortSignal): Promise<boolean> {
    if (this.#position !== position) {
      return true
    }
    return new Promise((resolve) => {
      const moved = () => resolve(true)
      this.#moves.add(moved)
      signal?.addEventListener('abort', () => {
        this.#moves.delete(moved)
        resolve(false)
      })
    })
  }

  /** Sends everyone away and waits for them, at most `deadlineMs`; then cuts them off. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true
    const ended = [...this.#connections].map((connection) => {
      connection.end(feedClose.goingAway, 'closing')
      return connection.ended
    })
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs)
    })
    await Promise.race([Promise.all(ended), deadline])
    clearTimeout(timer)
    for (const connection of this.#connections) {
      connection.cut()
    }
  }

  #moved(): void {
    const waiting = [...this.#moves]
    this.#moves.clear()
    for (const resolve of waiting) {
      resolve()
    }
  }
}
