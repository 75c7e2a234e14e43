import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const windowMs = 60_000

type Limit = ReturnType<FastifyInstance['createRateLimit']>

/** How many refusals a limit still allows in its window. */
export interface Remaining {
  remaining: number
  max: number
  /** Seconds until the window ends. */
  seconds: number
}

/** Counts refused requests by address, and by address and token. Needs @fastify/rate-limit. */
export class RefusalRates {
  readonly #ofAddress: Limit
  readonly #ofToken: Limit
  /** When the last refusal was counted, on the monotonic clock in milliseconds. */
  #lastAt = Number.NEGATIVE_INFINITY

  /** A token's limit is a tenth of the address's limit. */
  constructor(
    app: FastifyInstance,
    perMinute: number,
    digestOf: (request: FastifyRequest) => string | undefined,
  ) {
    this.#ofAddress = app.createRateLimit({
      max: perMinute,
      timeWindow: windowMs,
      keyGenerator: addressOf,
    })
    this.#ofToken = app.createRateLimit({
      max: Math.floor(perMinute / 10),
      timeWindow: windowMs,
      keyGenerator: (request: FastifyRequest) => `${addressOf(request)} ${digestOf(request)}`,
    })
  }

  /** False when no window has a refusal, so that no limit can be reached. */
  get countedLately(): boolean {
    return performance.now() - this.#lastAt <= 2 * windowMs
  }

  ofToken(request: FastifyRequest): Promise<Remaining> {
    return peek(this.#ofToken, request)
  }

  async isAddressBeyond(request: FastifyRequest): Promise<boolean> {
    const { remaining } = await peek(this.#ofAddress, request)
    return remaining === 0
  }

  /** Counts a refused request for its token and its address. */
  async count(request: FastifyRequest): Promise<void> {
    this.#lastAt = performance.now()
    for (const limit of [this.#ofToken, this.#ofAddress]) {
      await limit(request)
    }
  }

  /** Counts a refusal for the address alone: the token came in the first command. */
  async countForAddress(request: FastifyRequest): Promise<void> {
    this.#lastAt = performance.now()
    await this.#ofAddress(request)
  }
}

async function peek(limit: Limit, request: FastifyRequest): Promise<Remaining> {
  const found = await limit(request, { increment: false })
  if (found.isAllowed) {
    return { remaining: 1, max: 1, seconds: 0 }
  }
  const { remaining, max, ttlInSeconds } = found
  return { remaining, max, seconds: ttlInSeconds }
}
