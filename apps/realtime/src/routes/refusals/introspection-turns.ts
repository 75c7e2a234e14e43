import type { FastifyRequest } from 'fastify'
import { FairQueue } from '../../scheduling/fair-queue.js'

/**
 * Concurrent introspections of unknown tokens from addresses beyond their limit. `perAddress` is
 * less than the number of connections from the gate to auth.
 */
const maxIntrospections = { perAddress: 2, total: 32 }

/** Requests from such addresses that wait for a turn or have it. */
const maxWaiting = { perAddress: 256, total: 4096 }

/** Milliseconds after which the turn of a request ends whose socket has closed. */
const closedSocketMs = 10_000

/** Makes addresses with too many refusals take turns at introspection. */
export class IntrospectionTurns {
  readonly #queue = new FairQueue({
    maxInFlight: maxIntrospections.total,
    maxPerCaller: maxIntrospections.perAddress,
    maxSliceMs: Number.POSITIVE_INFINITY,
  })
  readonly #ends = new WeakMap<FastifyRequest, () => void>()

  /**
   * Resolves in the address's turn, with the function that ends it. Undefined when too many wait.
   */
  wait(address: string): Promise<() => void> | undefined {
    if (this.#queue.size >= maxWaiting.total) {
      return undefined
    }
    if (this.#queue.sizeOf(address) >= maxWaiting.perAddress) {
      return undefined
    }
    return new Promise((begin) => {
      void this.#queue.run(address, 1, () => new Promise<void>((end) => begin(end)))
    })
  }

  /**
   * Binds a turn to a request: it ends with `end`, or some time after the request's socket closed.
   */
  assign(request: FastifyRequest, end: () => void): void {
    const onClose = () => setTimeout(end, closedSocketMs).unref()
    const { socket } = request.raw
    socket.once('close', onClose)
    this.#ends.set(request, () => {
      socket.off('close', onClose)
      end()
    })
  }

  /** Ends a request's turn, if it has one. */
  end(request: FastifyRequest): void {
    this.#ends.get(request)?.()
    this.#ends.delete(request)
  }
}
