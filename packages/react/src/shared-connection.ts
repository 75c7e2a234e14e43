import { type ConnectOptions, connect, type SignedOut } from '@portcullis/client'
import { type Centrifuge, State } from 'centrifuge'
import { type ChannelState, SharedSubscription, subscribing } from './shared-subscription.js'

/** The state of the connection. */
export interface ConnectionState {
  readonly state: 'disconnected' | 'connecting' | 'connected'
  /** Why the user is signed out; absent while connecting and connected. */
  readonly signedOut?: SignedOut
}

/** State of a connection that has not begun, also on a server. */
export const disconnected: ConnectionState = { state: 'disconnected' }

/** The connection of one provider, shared by all hooks below it. */
export class SharedConnection {
  readonly client: Centrifuge
  /** Called when the user is signed out. */
  onSignedOut: ((signedOut: SignedOut) => void) | undefined
  readonly #listeners = new Set<() => void>()
  readonly #channels = new Map<string, SharedSubscription>()
  #state = disconnected
  #holders = 0

  /** Creates a client that does not connect yet. */
  constructor(url: string, options: ConnectOptions) {
    this.client = connect(url, {
      ...options,
      autoConnect: false,
      onSignedOut: (signedOut) => {
        this.#setState({ state: 'disconnected', signedOut })
        this.onSignedOut?.(signedOut)
      },
    })
    this.client.on('state', ({ newState: state }) => this.#setState({ state }))
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Calls `listener` after each change of the state. Returns the function that ends this. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Connects, unless the user is signed out. Returns the function that disconnects: in a microtask, and
   * not if the connection is held again by then, as in StrictMode.
   */
  hold(): () => void {
    this.#holders += 1
    if (this.client.state === State.Disconnected && this.#state.signedOut === undefined) {
      this.client.connect()
    }
    return () => {
      this.#holders -= 1
      queueMicrotask(() => {
        if (this.#holders === 0) {
          this.client.disconnect()
        }
      })
    }
  }

  /** Returns the subscription of a channel, which begins with its first user. */
  channel(channel: string): SharedSubscription {
    const current = this.#channels.get(channel)
    if (current !== undefined) {
      return current
    }
    const added = new SharedSubscription(this.client, channel, () => this.#channels.delete(channel))
    this.#channels.set(channel, added)
    return added
  }

  /** Returns the state of a channel, also of one that has no user yet. */
  stateOf(channel: string): ChannelState {
    return this.#channels.get(channel)?.state ?? subscribing
  }

  #setState(state: ConnectionState): void {
    this.#state = state
    for (const listener of [...this.#listeners]) {
      listener()
    }
  }
}
