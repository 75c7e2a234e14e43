import {
  disconnectCodes,
  replyErrors,
  type Unsubscribe,
  unsubscribeCodes,
} from '@portcullis/protocol'
import type { Permit } from '../../hub/permit.js'
import type { Connection } from '../connection.js'
import type { Grant } from '../tokens.js'

/** What a subscription that the server has begun has beside. */
export interface ServerSide {
  /** The server API has begun it: it stands, whatever the connection's token permits. */
  readonly granted: boolean
  /** The client is in the channel; what it is told of that comes before all else of the channel. */
  entered: boolean
  expiry?: NodeJS.Timeout
}

/** A channel that the client is in, or is on its way into. */
export interface Subscription {
  /** The id of the `subscribe` that awaits its reply. */
  replyTo: number | undefined
  /** It is listed in the channel's presence. */
  readonly present: boolean
  /** Its own token, when it has one. */
  grant?: Grant
  /** Lets go of that token. */
  release?: () => void
  /** The server has begun it, not the client. */
  readonly server?: ServerSide
}

/** Above this a timer would fire at once. */
const longestTimerMs = 2_147_483_647

/** The channels of one connection. */
export class Subscriptions {
  readonly #connection: Connection
  readonly #byChannel = new Map<string, Subscription>()
  /** Tokens of channels that were left, of which something may still wait to be sent. */
  #lingering: (() => void)[] | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get size(): number {
    return this.#byChannel.size
  }

  has(channel: string): boolean {
    return this.#byChannel.has(channel)
  }

  get(channel: string): Subscription | undefined {
    return this.#byChannel.get(channel)
  }

  entries(): IterableIterator<[string, Subscription]> {
    return this.#byChannel.entries()
  }

  begin(channel: string, subscription: Subscription): void {
    this.#byChannel.set(channel, subscription)
  }

  /** Takes the connection out of a channel, if it is in it or on its way. */
  leave(channel: string): Subscription | undefined {
    const subscription = this.#byChannel.get(channel)
    if (subscription === undefined) {
      return undefined
    }
    const { node, info, waits } = this.#connection
    this.#byChannel.delete(channel)
    clearTimeout(subscription.server?.expiry)
    node.hub.unsubscribe(channel, this.#connection)
    if (subscription.release !== undefined) {
      if (waits) {
        this.#lingering = [...(this.#lingering ?? []), subscription.release]
      } else {
        subscription.release()
      }
    }
    // Redis may be away: then the entry expires by itself.
    if (subscription.present) {
      void node.channels.leave(channel, info).catch(() => undefined)
    }
    const joined = subscription.replyTo === undefined && subscription.server?.entered !== false
    if (joined && node.optionsOf(channel).joinLeave) {
      void node.channels.announceLeave(channel, info).catch(() => undefined)
    }
    return subscription
  }

  leaveAll(): void {
    for (const channel of [...this.#byChannel.keys()]) {
      this.leave(channel)
    }
  }

  /** Ends one from our side, and tells the client. */
  end(channel: string, why: Unsubscribe): void {
    const subscription = this.leave(channel)
    if (subscription === undefined || subscription.server?.entered === false) {
      return
    }
    // What is still under way gets its reply first: the client sees both in order.
    const { replyTo } = subscription
    if (replyTo !== undefined) {
      this.#connection.reply(replyTo, { subscribe: {} })
    }
    this.#connection.send(this.#connection.codec.unsubscribePush(channel, why))
  }

  /** Ends one of the server's at a time, in Unix milliseconds. */
  endAt(channel: string, server: ServerSide, at: number): void {
    if (this.#byChannel.get(channel)?.server !== server) {
      return
    }
    const leftMs = at - Date.now()
    server.expiry = setTimeout(
      () => {
        if (at > Date.now()) {
          this.endAt(channel, server, at)
        } else {
          this.end(channel, unsubscribeCodes.expired)
        }
      },
      Math.min(leftMs, longestTimerMs),
    )
    server.expiry.unref()
  }

  /**
   * Something in the channel can never be delivered. A client subscribes anew by itself; into a channel
   * that the server has chosen it comes again only by connecting anew.
   */
  lost(channel: string): void {
    if (this.#byChannel.get(channel)?.server === undefined) {
      this.end(channel, unsubscribeCodes.insufficientState)
    } else {
      this.#connection.end(disconnectCodes.insufficientState)
    }
  }

  /** From now on this grant carries the subscription, whatever the connection's own token permits. */
  standOn(channel: string, subscription: Subscription, grant: Grant): void {
    const releasePrevious = subscription.release
    const release = this.#connection.node.tokens.hold(grant, (reason) =>
      this.#tokenEnded(channel, subscription, reason),
    )
    releasePrevious?.()
    if (this.#byChannel.get(channel) === subscription) {
      subscription.grant = grant
      subscription.release = release
    } else {
      release()
    }
  }

  /** Nothing waits to be sent any more. */
  drained(): void {
    if (this.#lingering === undefined) {
      return
    }
    for (const release of this.#lingering) {
      release()
    }
    this.#lingering = undefined
  }

  /** Best effort, as all joins and leaves are; presence is reliable. */
  announceJoin(channel: string, subscription: Subscription): void {
    const { node, info } = this.#connection
    const permit = this.permitOf(subscription)
    void node.channels.announceJoin(channel, info, permit).catch(() => undefined)
  }

  /** Returns the permit to write on behalf of every token that a subscription uses. */
  permitOf({ grant }: Subscription): Permit {
    const { permit, node } = this.#connection
    if (grant === undefined) {
      return permit
    }
    const own = node.tokens.permit(grant)
    return (send, isOver) => permit(() => own(send, isOver), isOver)
  }

  #tokenEnded(channel: string, subscription: Subscription, reason: 'revoked' | 'expired'): void {
    if (reason === 'revoked' && this.#connection.waits) {
      // What waits may be of this channel, and nobody can tell: all of it is kept back. The client
      // comes back at once, and gets what it missed in its other channels.
      this.#connection.cut(disconnectCodes.forceReconnect)
      return
    }
    if (this.#byChannel.get(channel) !== subscription) {
      return
    }
    const { replyTo } = subscription
    if (replyTo === undefined) {
      this.end(channel, unsubscribeCodes[reason === 'revoked' ? 'tokenRevoked' : 'expired'])
    } else {
      this.leave(channel)
      this.#connection.fail(replyTo, replyErrors.tokenExpired)
    }
  }
}
