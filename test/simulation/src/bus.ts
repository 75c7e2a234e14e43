import type { Process } from './process.js'
import type { Random } from './random.js'
import type { World } from './world.js'

interface Listener {
  process: Process
  deliver: (channel: string, bytes: Buffer) => void
}

/** The backplane between nodes: publications get to every node, late, now and then twice. */
export class Bus {
  readonly #world: World
  readonly #random: Random
  readonly #listeners = new Set<Listener>()

  constructor(world: World) {
    this.#world = world
    this.#random = world.random('bus')
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

  /** A publication that enters through the server API. */
  publishEvery(channel: string, ms: number, encoded: () => Buffer): void {
    const again = (): void => {
      this.#world.schedule(ms * this.#random.between(0.5, 1.5), () => {
        this.publish(channel, encoded())
        again()
      })
    }
    again()
  }
}
