import type { FastifyInstance } from 'fastify'
import { Allowance, type Rates } from '../../connection/io/allowance.js'
import type { Reader } from '../../connection/node.js'
import type { FairQueue } from '../../scheduling/fair-queue.js'
import { Refusal } from '../refusals/refusal.js'

/** Allowances that are kept before those that are full again are forgotten. */
const minKept = 1000

/** Weight of a publication in the queue: one, and one more for each of these many bytes. */
const weightBytes = 4096

export interface ApiLimitsOptions {
  rates: Rates
  /** Publications on their way to Redis. */
  publishing: FairQueue
  /** Is told of each command that was refused. */
  onLimited(): void
}

/**
 * What callers of the server API may ask of this node. Limits count for an identity, whatever its tokens
 * are: each command, each channel of a broadcast, the bytes that are published and the bytes that
 * are read.
 */
export class ApiLimits {
  readonly #options: ApiLimitsOptions
  readonly #allowances = new Map<string, Allowance>()
  #keep = minKept

  constructor(options: ApiLimitsOptions) {
    this.#options = options
  }

  /**
   * Counts a command; refuses it when the caller has used up its rate. One that begins within the rate
   * may go beyond it: whatever may be sent at all can be sent.
   */
  take(identity: string): boolean {
    const allowance = this.#of(identity)
    if (allowance.mayRead() && allowance.judge(0, 1) === 'within') {
      return true
    }
    this.#options.onLimited()
    return false
  }

  /** Charges what a command does, beside itself: further commands, and bytes that it publishes. */
  charge(identity: string, bytes: number, commands = 0): void {
    this.#of(identity).charge(bytes, commands)
  }

  /** The identity as it reads histories and presence. */
  reader(identity: string): Reader {
    return {
      name: JSON.stringify([identity]),
      mayRead: () => this.#of(identity).mayRead(),
      chargeRead: (bytes) => this.#of(identity).chargeRead(bytes),
    }
  }

  /** Seconds until a command is taken again. */
  waitSeconds(identity: string): number {
    return Math.max(1, Math.ceil(this.#of(identity).waitMs() / 1000))
  }

  /** Publishes in the caller's turn, with few publications under way. */
  publish<Result>(identity: string, bytes: number, work: () => Promise<Result>): Promise<Result> {
    return this.#options.publishing.run(identity, 1 + Math.floor(bytes / weightBytes), work)
  }

  #of(identity: string): Allowance {
    const known = this.#allowances.get(identity)
    if (known !== undefined) {
      return known
    }
    const allowance = new Allowance(this.#options.rates)
    this.#allowances.set(identity, allowance)
    if (this.#allowances.size > this.#keep) {
      this.#forgetFull()
    }
    return allowance
  }

  #forgetFull(): void {
    for (const [identity, allowance] of this.#allowances) {
      if (allowance.isFull()) {
        this.#allowances.delete(identity)
      }
    }
    this.#keep = Math.max(minKept, this.#allowances.size * 2)
  }
}

/** Refuses a request to the server API with 429 when its identity has used up its rate. */
export function limitApi(api: FastifyInstance, limits: ApiLimits): void {
  // Behind the token, which a route's onRequest takes, and before the body.
  api.addHook('preParsing', async (request) => {
    const { identity } = request.grant
    if (!limits.take(identity)) {
      throw tooManyRequests(limits, identity)
    }
  })
}

/** The answer to an identity that has used up its rate. */
export function tooManyRequests(limits: ApiLimits, identity: string): Refusal {
  return new Refusal(
    429,
    'too_many_requests',
    'this identity asks for more than API_COMMANDS_PER_SECOND or API_BYTES_PER_SECOND allow; wait, or send less',
    { 'retry-after': String(limits.waitSeconds(identity)) },
  )
}
