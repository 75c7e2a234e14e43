import { defined } from '@portcullis/contracts/defined'
import { maxTimerMs } from '@portcullis/gate/grants'
import {
  type ClientInfo,
  type Disconnect,
  disconnectCodes,
  type Encoded,
  type ReplyBody,
  type ReplyError,
  replyErrors,
  type StreamPosition,
  type Unsubscribe,
  unsubscribeCodes,
} from '@portcullis/protocol'
import type { SubscriptionOptions } from '../../hub/audience.js'
import type { Member } from '../../hub/member.js'
import type { Permit } from '../../hub/permit.js'
import type { Recovery, StreamRead } from '../../hub/stream.js'
import type { EventSource } from '../events.js'
import type { Services } from '../node.js'
import type { ConnectionState } from '../state.js'
import type { EndReason, Grant } from '../tokens.js'
import { SmallMap } from './small-map.js'

/** A connection as its subscriptions see it. */
export interface Subscriber extends Member, EventSource {
  readonly node: Services
  readonly info: ClientInfo
  readonly grant: Grant
  readonly closed: boolean
  readonly state: ConnectionState['name']
  /** True while output has not left the process. */
  readonly waits: boolean
  reply(id: number, body: ReplyBody): void
  fail(id: number, error: ReplyError): void
  send(message: Encoded): void
  /** Ends the connection at once. Output that waits never leaves. */
  cut(disconnect: Disconnect): void
}

/** What only a subscription has that the server began. */
export interface ServerSide {
  /** The server API began it. It does not depend on the scopes of the connection's token. */
  readonly granted: boolean
  /** The client is in the channel, and has been told so before anything else of the channel. */
  entered: boolean
}

/** A channel that the client is in, or is about to enter. */
export interface Subscription {
  /** The id of the `subscribe` that awaits its reply. */
  replyTo: number | undefined
  /** The client is listed in the channel's presence. */
  readonly present: boolean
  /** Once the channel was left: resolves when the client is not listed any more, or Redis is away. */
  left?: Promise<void>
  /** The grant of the subscription's own token, if it has one. */
  grant?: Grant
  /** Stops the watch of that token. */
  release?: () => void
  /** Set when the server began the subscription, not the client. */
  readonly server?: ServerSide
  /** The application's backend has been told of it. */
  reported?: true
  /** The next call of `callAt`. */
  timer?: NodeJS.Timeout
}

/** How a subscription enters its channel. */
export interface Entry {
  since: StreamPosition | undefined
  readMissed: (since: StreamPosition) => Promise<StreamRead>
  /** Join and leave messages are wanted. */
  watches: boolean
  subscriptionOptions?: SubscriptionOptions
  /**
   * Called once, with the position at which the subscription begins. Returns false when it is not
   * wanted any more. The first publication follows in the same synchronous step.
   */
  onEnter: (begin: StreamPosition | Recovery | undefined) => boolean
}

/** The channels of one connection. */
export class Subscriptions {
  readonly #connection: Subscriber
  readonly #byChannel = new SmallMap<string, Subscription>()
  /** Releases of tokens of channels that were left while output of them may still wait. */
  #lingering: (() => void)[] | undefined

  constructor(connection: Subscriber) {
    this.#connection = connection
  }

  get size(): number {
    return this.#byChannel.size
  }

  has(channel: string): boolean {
    return this.#byChannel.get(channel) !== undefined
  }

  get(channel: string): Subscription | undefined {
    return this.#byChannel.get(channel)
  }

  /** Returns false once an unsubscribe or the connection's end has ended the subscription. */
  isCurrent(channel: string, subscription: Subscription): boolean {
    return !this.#connection.closed && this.#byChannel.get(channel) === subscription
  }

  /** Returns a copy. */
  entries(): [string, Subscription][] {
    return this.#byChannel.entries()
  }

  begin(channel: string, subscription: Subscription): void {
    this.#byChannel.set(channel, subscription)
  }

  /**
   * Enters the channel of a subscription that has begun: lists the client in presence, subscribes at
   * the hub, and announces the client. Does nothing more once the subscription is not current.
   *
   * @throws HubError, BrokerError when Redis is away; the subscription is removed
   */
  async enter(channel: string, subscription: Subscription, entry: Entry): Promise<void> {
    const { node, info } = this.#connection
    const options = node.optionsOf(channel)
    const { readMissed, watches, subscriptionOptions, onEnter } = entry
    try {
      if (options.presence) {
        await node.channels.enter(channel, info, this.permitOf(subscription))
      }
      await node.hub.subscribe(channel, this.#connection, {
        since: options.recovery ? entry.since : undefined,
        readMissed,
        watches: watches && options.joinLeave,
        ...defined({ subscriptionOptions }),
        enter: (begin) => {
          if (!this.isCurrent(channel, subscription) || !onEnter(begin)) {
            return false
          }
          if (options.joinLeave) {
            this.#announceJoin(channel, subscription)
          }
          // Subscriptions that begin with the connection are reported after it.
          if (this.#connection.state === 'connected') {
            this.#report(channel, subscription)
          }
          return true
        },
      })
    } catch (error) {
      if (this.isCurrent(channel, subscription)) {
        this.leave(channel)
        throw error
      }
    }
  }

  /** Reports the subscriptions of a client that has just connected. */
  reportEntered(): void {
    if (this.#connection.node.events === undefined) {
      return
    }
    for (const [channel, subscription] of this.#byChannel.entries()) {
      this.#report(channel, subscription)
    }
  }

  /**
   * Takes the connection out of a channel that it is in or about to enter.
   *
   * @param reason - reported to the application's backend; undefined when the connection ends
   */
  leave(channel: string, reason?: Unsubscribe): Subscription | undefined {
    const subscription = this.#byChannel.get(channel)
    if (subscription === undefined) {
      return undefined
    }
    const { node, info, waits } = this.#connection
    this.#byChannel.delete(channel)
    clearTimeout(subscription.timer)
    node.hub.unsubscribe(channel, this.#connection)
    if (subscription.release !== undefined) {
      if (waits) {
        this.#lingering = [...(this.#lingering ?? []), subscription.release]
      } else {
        subscription.release()
      }
    }
    // When Redis is away, the entry expires by itself.
    if (subscription.present) {
      subscription.left = node.channels.leave(channel, info).catch(() => undefined)
    }
    if (reason !== undefined && subscription.reported) {
      node.events?.record(this.#connection, { type: 'unsubscribed', channel, ...reason })
    }
    const joined = subscription.replyTo === undefined && subscription.server?.entered !== false
    if (joined && node.optionsOf(channel).joinLeave) {
      void node.channels.announceLeave(channel, info).catch(() => undefined)
    }
    return subscription
  }

  leaveAll(): void {
    for (const [channel] of this.#byChannel.entries()) {
      this.leave(channel)
    }
  }

  /** Ends a subscription from the server's side, and tells the client. */
  end(channel: string, reason: Unsubscribe): void {
    const subscription = this.leave(channel, reason)
    if (subscription === undefined || subscription.server?.entered === false) {
      return
    }
    // A `subscribe` in flight gets its reply first, in the client's order.
    const { replyTo } = subscription
    if (replyTo !== undefined) {
      this.#connection.reply(replyTo, { subscribe: {} })
    }
    this.#connection.send(this.#connection.codec.unsubscribePush(channel, reason))
  }

  /**
   * Calls `then` at a time, in Unix milliseconds, if the subscription is still current. Replaces a
   * call that is due later.
   */
  callAt(channel: string, subscription: Subscription, at: number, then: () => void): void {
    clearTimeout(subscription.timer)
    if (!this.isCurrent(channel, subscription)) {
      return
    }
    const onTimer = () => (at > Date.now() ? this.callAt(channel, subscription, at, then) : then())
    subscription.timer = setTimeout(onTimer, Math.min(at - Date.now(), maxTimerMs))
    subscription.timer.unref()
  }

  /**
   * A publication of the channel can never be delivered. A client subscribes again by itself, but it
   * returns to a channel that the server chose only by connecting again.
   */
  lost(channel: string): void {
    if (this.#byChannel.get(channel)?.server === undefined) {
      this.end(channel, unsubscribeCodes.insufficientState)
    } else {
      this.#connection.end(disconnectCodes.insufficientState)
    }
  }

  /** Uses this grant for the subscription from now on, in place of the connection's own token. */
  useGrant(channel: string, subscription: Subscription, grant: Grant): void {
    const releasePrevious = subscription.release
    const release = this.#connection.node.tokens.watch(grant, (reason) =>
      this.#grantEnded(channel, subscription, reason),
    )
    releasePrevious?.()
    if (this.isCurrent(channel, subscription)) {
      subscription.grant = grant
      subscription.release = release
    } else {
      release()
    }
  }

  /** All output has left the process, so tokens of channels that were left can be released. */
  drained(): void {
    if (this.#lingering === undefined) {
      return
    }
    for (const release of this.#lingering) {
      release()
    }
    this.#lingering = undefined
  }

  #report(channel: string, subscription: Subscription): void {
    const { events } = this.#connection.node
    if (events !== undefined) {
      subscription.reported = true
      events.record(this.#connection, { type: 'subscribed', channel })
    }
  }

  /** Best effort, like all join and leave messages. Presence is reliable. */
  #announceJoin(channel: string, subscription: Subscription): void {
    const { node, info } = this.#connection
    const permit = this.permitOf(subscription)
    void node.channels.announceJoin(channel, info, permit).catch(() => undefined)
  }

  /** Returns the permit to write on behalf of every token that a subscription uses. */
  permitOf({ grant }: Subscription): Permit {
    const { tokens } = this.#connection.node
    const permit = tokens.permit(this.#connection.grant)
    if (grant === undefined) {
      return permit
    }
    const own = tokens.permit(grant)
    return (send, isOver) => permit(() => own(send, isOver), isOver)
  }

  #grantEnded(channel: string, subscription: Subscription, reason: EndReason): void {
    if (reason === 'revoked' && subscription.reported) {
      this.#connection.node.events?.record(this.#connection, { type: 'revoked', channel })
    }
    if (reason === 'revoked' && this.#connection.waits) {
      // Output of this channel cannot be told from the rest, so all of it is kept back. The client
      // reconnects at once, and recovers its other channels.
      this.#connection.cut(disconnectCodes.forceReconnect)
      return
    }
    if (!this.isCurrent(channel, subscription)) {
      return
    }
    const { replyTo } = subscription
    if (replyTo === undefined) {
      this.end(channel, unsubscribeCodes[reason === 'revoked' ? 'tokenRevoked' : 'expired'])
    } else {
      this.leave(channel)
      const error = reason === 'revoked' ? 'permissionDenied' : 'tokenExpired'
      this.#connection.fail(replyTo, replyErrors[error])
    }
  }
}
