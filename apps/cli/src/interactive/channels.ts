import type { Centrifuge, ClientInfo, Subscription } from 'centrifuge'
import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
import { publicationLine } from '../output/publication.js'
import { clock } from '../output/time.js'
import { failureText } from './failure-text.js'
import { Presence } from './presence.js'

/** A channel that the person is subscribed to, or waits to be. */
interface Channel {
  subscription: Subscription
  publications: number
  /** Who is there; undefined where nobody asked for joins and leaves. */
  present: Presence | undefined
}

export interface ChannelState {
  channel: string
  state: string
  publications: number
}

/** Names of a watch's line, before it only counts. */
const namesShown = 8

/** The channels of one connection: what comes into them is shown, until they are left. */
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
    return [...this.#channels].map(([channel, { subscription, publications, present }]) => ({
      channel,
      state: `${subscription.state}${present === undefined ? '' : ', watched'}`,
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

  /** Also who comes and goes. It is asked for as one subscribes: one that is subscribed does so anew. */
  watch(name: string): void {
    const known = this.#channels.get(name)
    if (known?.present !== undefined) {
      this.#remark(`${name} is watched already`)
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

  #open(name: string, present: Presence | undefined): void {
    const watched = present !== undefined
    const subscription = this.#centrifuge.newSubscription(name, { joinLeave: watched })
    const channel: Channel = { subscription, publications: 0, present }
    this.#channels.set(name, channel)
    let subscribed = false
    subscription.on('publication', ({ data }) => {
      channel.publications += 1
      this.#show(publicationLine(this.#out, name, data))
    })
    subscription.on('subscribed', () => {
      subscribed = true
      this.#remark(`subscribed to ${name}`)
      if (watched) {
        void this.#lookAround(name, present)
      }
    })
    subscription.on('join', ({ info }) => this.#came(name, present, info))
    subscription.on('leave', ({ info }) => this.#went(name, present, info))
    subscription.on('error', ({ error }) => {
      this.#remark(`${name}: ${error.code} ${error.message}; trying again`)
    })
    subscription.on('unsubscribed', ({ code, reason }) => {
      // Of its own accord it never unsubscribes: the server did.
      this.#close(name, channel)
      const what = subscribed ? `${name} has ended` : `cannot subscribe to ${name}`
      this.#fail(`${what}: ${code} ${reason}`)
    })
    subscription.subscribe()
  }

  #close(name: string, { subscription }: Channel): void {
    this.#channels.delete(name)
    subscription.removeAllListeners()
    // Unsubscribes, too.
    this.#centrifuge.removeSubscription(subscription)
  }

  async #lookAround(name: string, present: Presence): Promise<void> {
    try {
      await present.look(async () => Object.values((await this.#centrifuge.presence(name)).clients))
      this.#here(name, present, '')
    } catch (error) {
      this.#fail(`${name}: ${failureText(error)}`)
    }
  }

  #came(name: string, present: Presence | undefined, info: ClientInfo): void {
    if (present?.join(info)) {
      this.#here(name, present, `${this.#out.paint.green('+')} ${printable(info.user)}  `)
    }
  }

  #went(name: string, present: Presence | undefined, info: ClientInfo): void {
    if (present?.leave(info)) {
      this.#here(name, present, `${this.#out.paint.red('-')} ${printable(info.user)}  `)
    }
  }

  #here(name: string, present: Presence, change: string): void {
    const { paint } = this.#out
    const names = [...present.users()].map(([user, n]) =>
      printable(n === 1 ? user : `${user} (${n})`),
    )
    const shown = names.slice(0, namesShown).join(', ')
    const more = names.length > namesShown ? `, … (${names.length} users)` : ''
    const here = paint.dim(`${present.size} here${shown === '' ? '' : `: ${shown}${more}`}`)
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
