import type { Centrifuge, ClientInfo, Subscription } from 'centrifuge'
import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import { clock } from '../output/time.js'
import { failureText } from './failure-text.js'
import { Presence } from './presence.js'

/** A channel that the user has subscribed to. */
interface Channel {
  subscription: Subscription
  publications: number
  /** Clients in the channel; undefined unless the channel is watched. */
  presence: Presence | undefined
}

export interface ChannelState {
  channel: string
  state: string
  publications: number
}

/** Users named in a line about presence; further users are only counted. */
const maxNames = 8

/** The subscriptions of one connection; prints their publications, joins and leaves. */
export class Channels {
  readonly #centrifuge: Centrifuge
  readonly #out: Output
  readonly #show: (text: string) => void
  readonly #channels = new Map<string, Channel>()

  constructor(centrifuge: Centrifuge, out: Output, show: (text: string) => void) {
    this.#centrifuge = centrifuge
    this.#out = out
    this.#show = show
  }

  states(): ChannelState[] {
    return [...this.#channels].map(([channel, { subscription, publications, presence }]) => ({
      channel,
      state: `${subscription.state}${presence === undefined ? '' : ', watched'}`,
      publications,
    }))
  }

  subscribe(name: string): void {
    if (this.#channels.has(name)) {
      this.#remark(`already subscribed to ${name}`)
    } else {
      this.#open(name, undefined)
    }
  }

  /** Subscribes with join and leave events, which are chosen at subscribe: resubscribes if needed. */
  watch(name: string): void {
    const known = this.#channels.get(name)
    if (known?.presence !== undefined) {
      this.#remark(`already watching ${name}`)
      return
    }
    if (known !== undefined) {
      this.#close(name, known)
    }
    this.#open(name, new Presence())
  }

  unsubscribe(name: string): void {
    const channel = this.#channels.get(name)
    if (channel === undefined) {
      this.#remark(`not subscribed to ${name}`)
      return
    }
    this.#close(name, channel)
    this.#remark(`unsubscribed from ${name}`)
  }

  #open(name: string, presence: Presence | undefined): void {
    const joinLeave = presence !== undefined
    const subscription = this.#centrifuge.newSubscription(name, { joinLeave })
    const channel: Channel = { subscription, publications: 0, presence }
    this.#channels.set(name, channel)
    let subscribed = false
    subscription.on('publication', ({ data }) => {
      channel.publications += 1
      this.#show(publicationLine(this.#out, name, data))
    })
    subscription.on('subscribed', () => {
      subscribed = true
      this.#remark(`subscribed to ${name}`)
      if (presence !== undefined) {
        void this.#loadPresence(name, presence)
      }
    })
    subscription.on('join', ({ info }) => this.#onJoin(name, presence, info))
    subscription.on('leave', ({ info }) => this.#onLeave(name, presence, info))
    subscription.on('error', ({ error }) => {
      this.#remark(`${name}: ${error.code} ${error.message}; retrying`)
    })
    subscription.on('unsubscribed', ({ code, reason }) => {
      // The server ended it: `#close` removes this listener before it unsubscribes.
      this.#close(name, channel)
      const what = subscribed ? `the server ended ${name}` : `cannot subscribe to ${name}`
      this.#fail(`${what}: ${code} ${reason}`)
    })
    subscription.subscribe()
  }

  #close(name: string, { subscription }: Channel): void {
    this.#channels.delete(name)
    subscription.removeAllListeners()
    // Also unsubscribes.
    this.#centrifuge.removeSubscription(subscription)
  }

  async #loadPresence(name: string, presence: Presence): Promise<void> {
    try {
      await presence.load(async () =>
        Object.values((await this.#centrifuge.presence(name)).clients),
      )
      this.#showPresence(name, presence, '')
    } catch (error) {
      this.#fail(`${name}: ${failureText(error)}`)
    }
  }

  #onJoin(name: string, presence: Presence | undefined, info: ClientInfo): void {
    if (presence?.join(info)) {
      this.#showPresence(name, presence, `${this.#out.paint.green('+')} ${printable(info.user)}  `)
    }
  }

  #onLeave(name: string, presence: Presence | undefined, info: ClientInfo): void {
    if (presence?.leave(info)) {
      this.#showPresence(name, presence, `${this.#out.paint.red('-')} ${printable(info.user)}  `)
    }
  }

  #showPresence(name: string, presence: Presence, change: string): void {
    const { paint } = this.#out
    const names = [...presence.users()].map(([user, n]) =>
      printable(n === 1 ? user : `${user} (${n})`),
    )
    const shown = names.slice(0, maxNames).join(', ')
    const more = names.length > maxNames ? `, … (${names.length} users)` : ''
    const here = paint.dim(`${presence.size} here${shown === '' ? '' : `: ${shown}${more}`}`)
    const head = `${paint.dim(clock(Date.now()))}  ${paint.cyan(printable(name))}`
    this.#show(`${head}  ${change}${here}`)
  }

  #remark(text: string): void {
    this.#show(this.#out.paint.dim(printable(text)))
  }

  #fail(text: string): void {
    this.#show(this.#out.paint.red(printable(text)))
  }
}
