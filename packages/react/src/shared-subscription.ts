import type {
  Centrifuge,
  JoinContext,
  LeaveContext,
  PublicationContext,
  StreamPosition,
  SubscribedContext,
  Subscription,
  SubscriptionErrorContext,
  SubscriptionOptions,
} from 'centrifuge'

/** The state of a subscription. */
export interface ChannelState {
  readonly state: 'subscribing' | 'subscribed' | 'unsubscribed'
  /**
   * Why the subscription has ended for good, with an unsubscribe code of the protocol (2001: its token
   * was revoked) or an error code (103: not permitted). Mount the components again to try again.
   */
  readonly ended?: { code: number; reason: string }
}

/** One hook that uses the channel. */
export interface ChannelUser {
  readonly options: SubscriptionOptions
  onState?(): void
  /** `isComplete`: no publication was missed since the previous call. */
  onSubscribed?(isComplete: boolean): void
  onPublication?(context: PublicationContext): void
  onJoin?(context: JoinContext): void
  onLeave?(context: LeaveContext): void
  onError?(context: SubscriptionErrorContext): void
}

/** State of a subscription before its first attempt. */
export const subscribing: ChannelState = { state: 'subscribing' }

/**
 * The subscription of one channel, shared by all hooks that use the channel. It begins and ends in a
 * microtask after the users have changed: StrictMode and a change of pages remove and add users in one go,
 * and must not reach the server.
 */
export class SharedSubscription {
  readonly #client: Centrifuge
  readonly #channel: string
  readonly #onUnused: () => void
  readonly #users = new Set<ChannelUser>()
  #subscription: Subscription | undefined
  /** Options of the subscription. */
  #options: SubscriptionOptions = {}
  #position: StreamPosition | undefined
  #state = subscribing
  #isScheduled = false

  /** `onUnused`: called when the last user has left. */
  constructor(client: Centrifuge, channel: string, onUnused: () => void) {
    this.#client = client
    this.#channel = channel
    this.#onUnused = onUnused
  }

  get state(): ChannelState {
    return this.#state
  }

  /** Adds a user. Returns the function that removes it. */
  add(user: ChannelUser): () => void {
    this.#users.add(user)
    this.#schedule()
    if (this.#state.state === 'subscribed') {
      user.onSubscribed?.(false)
    }
    return () => {
      this.#users.delete(user)
      this.#schedule()
    }
  }

  #schedule(): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true
      queueMicrotask(() => {
        this.#isScheduled = false
        this.#settle()
      })
    }
  }

  #settle(): void {
    if (this.#users.size === 0) {
      this.#end()
      this.#onUnused()
      return
    }
    const options = mergeOptions(this.#users)
    const wantsMore = options.joinLeave === true && this.#options.joinLeave !== true
    if (this.#subscription === undefined || wantsMore) {
      this.#end()
      this.#begin(this.#position === undefined ? options : { ...options, since: this.#position })
    }
  }

  #begin(options: SubscriptionOptions): void {
    const subscription = this.#client.newSubscription(this.#channel, options)
    this.#subscription = subscription
    this.#options = options
    const tell = (call: (user: ChannelUser) => void) => {
      if (this.#subscription === subscription) {
        for (const user of [...this.#users]) {
          call(user)
        }
      }
    }
    const setState = (state: ChannelState) => {
      if (this.#subscription === subscription) {
        this.#state = state
        tell((user) => user.onState?.())
      }
    }
    subscription.on('subscribing', () => setState(subscribing))
    subscription.on('subscribed', (context) => {
      this.#position = context.streamPosition
      setState({ state: 'subscribed' })
      tell((user) => user.onSubscribed?.(isComplete(context)))
    })
    subscription.on('unsubscribed', ({ code, reason }) =>
      setState({ state: 'unsubscribed', ended: { code, reason } }),
    )
    subscription.on('publication', (context) => {
      if (this.#position !== undefined && context.offset !== undefined) {
        this.#position = { ...this.#position, offset: context.offset }
      }
      tell((user) => user.onPublication?.(context))
    })
    subscription.on('join', (context) => tell((user) => user.onJoin?.(context)))
    subscription.on('leave', (context) => tell((user) => user.onLeave?.(context)))
    subscription.on('error', (context) => tell((user) => user.onError?.(context)))
    subscription.subscribe()
  }

  #end(): void {
    const subscription = this.#subscription
    if (subscription !== undefined) {
      // First, so that the listeners of the old subscription do nothing.
      this.#subscription = undefined
      this.#client.removeSubscription(subscription)
    }
  }
}

/** Merges the options of all users; those of the user that came first win. */
function mergeOptions(users: Iterable<ChannelUser>): SubscriptionOptions {
  const options = [...users].map((user) => user.options).reverse()
  const merged: SubscriptionOptions = Object.assign({}, ...options)
  const joinLeave = options.some((each) => each.joinLeave === true)
  return joinLeave ? { ...merged, joinLeave } : merged
}

function isComplete({ wasRecovering, recovered }: SubscribedContext): boolean {
  return wasRecovering && recovered
}
