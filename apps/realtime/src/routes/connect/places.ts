import type { Socket } from 'node:net'
import { Refusal } from '../refusals/refusal.js'

export interface PlacesOptions {
  /** Number of open connections, with and without a token. */
  open: () => number
  maxConnections: number
  /** Maximum number of upgrades that wait for auth. */
  maxAdmissions: number
}

/** Bounds the connections of a node and the upgrades that wait for auth. */
export class Places {
  readonly #options: PlacesOptions
  /** Sockets of upgrades that are neither accepted nor refused yet. */
  readonly #upgrading = new Set<Socket>()
  readonly #releaseClosed: (this: Socket) => void

  constructor(options: PlacesOptions) {
    this.#options = options
    const release = (socket: Socket) => this.release(socket)
    this.#releaseClosed = function releaseClosed() {
      release(this)
    }
  }

  /**
   * Reserves a place until `release` or the end of the socket.
   *
   * @throws Refusal 503 when all are taken
   */
  reserve(socket: Socket): void {
    const { open, maxConnections, maxAdmissions } = this.#options
    const upgrading = this.#upgrading.size
    if (upgrading >= maxAdmissions || open() + upgrading >= maxConnections) {
      throw nodeFull()
    }
    this.#upgrading.add(socket)
    socket.on('close', this.#releaseClosed)
  }

  release(socket: Socket): void {
    this.#upgrading.delete(socket)
    socket.off('close', this.#releaseClosed)
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
