import type { End } from '../network/network.js'
import { type IsTooLate, type ScriptCall, Scripts } from '../registry/commands.js'
import type { SimulatedToken } from '../registry/registry.js'
import type { Answer, Command } from '../registry/registry-host.js'
import type { Process } from '../world/process.js'
import type { Random } from '../world/random.js'
import type { World } from '../world/world.js'

interface Inbox {
  process: Process
  onMessage: (message: Buffer) => void
}

interface Listener {
  process: Process
  deliver: (channel: string, bytes: Buffer) => void
}

const channelMark = ':channel:'
/** How long Redis takes to answer, in milliseconds. */
const serviceMs = { min: 0.02, max: 0.3 }

export interface BrokerOptions {
  world: World
  /** How fast its clock runs; 1 is true time. */
  rate: number
  isTooLate: IsTooLate
  /** Called when Redis takes a publication for a token. */
  onEffect: (token: SimulatedToken) => void
}

/**
 * The Redis of the nodes, with its own clock. Passes each publication on to every node, late, and
 * sometimes twice.
 */
export class Broker {
  readonly #options: BrokerOptions
  readonly #random: Random
  readonly #listeners = new Set<Listener>()
  readonly #inboxes = new Map<string, Inbox>()
  readonly #scripts: Scripts
  readonly #offsetUs: number
  #process: Process

  constructor(options: BrokerOptions) {
    const { world, isTooLate, onEffect } = options
    this.#options = options
    this.#random = world.random('broker')
    this.#offsetUs = this.#random.whole(-1e9, 1e9)
    this.#process = world.process('broker')
    this.#scripts = new Scripts({
      isTooLate,
      onEffect: (_what, token) => onEffect(token),
      onTooLate: () => world.history.count('effects refused by deadline'),
    })
  }

  get process(): Process {
    return this.#process
  }

  /** Restarts after a kill. */
  restart(): void {
    this.#process = this.#options.world.process('broker')
    this.#scripts.forget()
    this.#process.note('has restarted')
  }

  /** Accepts a connection of a node. */
  accept(end: End): void {
    end.receiver = {
      received: (message) => {
        const { number, run } = message as Command
        const answer: Answer = { number, result: run([]) }
        end.process.event(this.#random.between(serviceMs.min, serviceMs.max), () =>
          end.send(answer),
        )
      },
      ended: () => undefined,
    }
  }

  /** Runs a script. */
  evaluate(call: ScriptCall): unknown {
    return this.#scripts.evaluate(call, this.#nowUs, () => {
      const [key = ''] = call.keys
      const [text] = call.args
      if (typeof text !== 'string') {
        throw new Error('not a publication')
      }
      this.publish(key.slice(key.indexOf(channelMark) + channelMark.length), Buffer.from(text))
      return this.#listeners.size
    })
  }

  listen(process: Process, deliver: Listener['deliver']): void {
    const listener = { process, deliver }
    this.#listeners.add(listener)
    process.onKilled(() => this.#listeners.delete(listener))
  }

  publish(channel: string, bytes: Buffer): void {
    for (const { process, deliver } of this.#listeners) {
      const copies = this.#random.chance(0.02) ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        process.event(this.#random.between(0.1, 5), () => deliver(channel, bytes))
      }
    }
  }

  /** Passes messages for one node on to it. */
  subscribe(process: Process, key: string, onMessage: Inbox['onMessage']): void {
    const inbox = { process, onMessage }
    this.#inboxes.set(key, inbox)
    process.onKilled(() => {
      if (this.#inboxes.get(key) === inbox) {
        this.#inboxes.delete(key)
      }
    })
  }

  /** Sends a message of one node to another, sometimes very late or twice. Returns the number of receivers. */
  send(from: Process, key: string, message: string): Promise<number> {
    const inbox = this.#inboxes.get(key)
    if (inbox !== undefined && !this.#process.killed) {
      const { process, onMessage } = inbox
      const copies = this.#random.chance(0.02) ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        const maxMs = this.#random.chance(0.1) ? 600 : 5
        process.event(this.#random.between(0.1, maxMs), () => onMessage(Buffer.from(message)))
      }
    }
    return new Promise((resolve) => {
      from.event(this.#random.between(0.1, 5), () => resolve(inbox === undefined ? 0 : 1))
    })
  }

  /** Publishes repeatedly, about every `ms`, without a token. */
  publishEvery(channel: string, ms: number, encoded: () => Buffer): void {
    const again = (): void => {
      this.#options.world.schedule(ms * this.#random.between(0.5, 1.5), () => {
        this.publish(channel, encoded())
        again()
      })
    }
    again()
  }

  get #nowUs(): number {
    const { world, rate } = this.#options
    return Math.floor(1.9e15 + this.#offsetUs + world.now * 1000 * rate)
  }
}
