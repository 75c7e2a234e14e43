import type { Socket } from 'node:net'
import { Refusal } from '../refusals/refusal.js'
import { WaitingUpgrades } from './waiting-upgrades.js'

/** How long an upgrade waits for its turn, in milliseconds. Clients give up soon after. */
const defaultMaxWaitMs = 10_000

/** Upgrades that wait for their turn, for each that may ask auth at the same time. */
const waitingPerAdmission = 16

export interface PlacesOptions {
  /** Number of open connections, with and without a token. */
  open: () => number
  maxConnections: number
  /** Maximum number of upgrades that ask auth at the same time; further upgrades wait. */
  maxAdmissions: number
  /** Maximum time that an upgrade waits, in milliseconds. */
  maxWaitMs?: number
}

/** Bounds the connections of a node and the upgrades that ask auth. */
export class Places {
  readonly #options: PlacesOptions
  /** Sockets of upgrades that are neither accepted nor refused yet, with their close listeners. */
  readonly #upgrading = new Map<Socket, () => void>()
  readonly #waiting: WaitingUpgrades
  readonly #maxWaitMs: number

  constructor(options: PlacesOptions) {
    this.#options = options
    this.#waiting = new WaitingUpgrades(options.maxAdmissions * waitingPerAdmission)
    this.#maxWaitMs = options.maxWaitMs ?? defaultMaxWaitMs
  }

  /**
   * Reserves a place until `release` or the end of the socket. Returns a promise when the upgrade has
   * to wait for its turn; addresses take turns.
   *
   * @throws Refusal 503 when the node is full, or the turn does not come in time
   */
  reserve(socket: Socket, address: string): Promise<void> | undefined {
    const { open, maxConnections, maxAdmissions } = this.#options
    if (open() + this.#upgrading.size + this.#waiting.size >= maxConnections) {
      throw nodeFull()
    }
    if (this.#upgrading.size < maxAdmissions) {
      this.#take(socket)
      return undefined
    }
    if (!this.#waiting.hasPlaceFor(address)) {
      throw nodeFull()
    }
    return this.#wait(socket, address)
  }

  release(socket: Socket): void {
    const listener = this.#upgrading.get(socket)
    if (listener === undefined) {
      return
    }
    socket.off('close', listener)
    this.#upgrading.delete(socket)
    this.#waiting.next()
  }

  #take(socket: Socket): void {
    const listener = (): void => this.release(socket)
    this.#upgrading.set(socket, listener)
    socket.once('close', listener)
  }

  #wait(socket: Socket, address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(deadline)
        socket.off('close', giveUp)
        this.#waiting.remove(address, turn)
      }
      const giveUp = (): void => {
        leave()
        reject(nodeFull())
      }
      const turn = (): void => {
        leave()
        this.#take(socket)
        resolve()
      }
      const deadline = setTimeout(giveUp, this.#maxWaitMs)
      deadline.unref()
      socket.once('close', giveUp)
      this.#waiting.add(address, turn)
    })
  }
}

/** The random delay spreads clients that were refused in the same moment. */
export function nodeFull(): Refusal {
  const retryAfter = String(1 + Math.floor(Math.random() * 5))
  return new Refusal(
    503,
    'node_full',
    'this node accepts no more connections now; try again later',
    {
      'retry-after': retryAfter,
    },
  )
}
