import type { FastifyInstance } from 'fastify'
import { Allowance, type Rates } from '../../connection/io/allowance.js'
import type { Reader } from '../../connection/node.js'
import type { FairQueue } from '../../scheduling/fair-queue.js'
import { Refusal } from '../refusals/refusal.js'

/** Allowances to keep before full ones are dropped. */
const minKept = 1000

/** A publication weighs 1 in the queue, plus 1 for each of these many bytes. */
const weightBytes = 4096

export interface ApiLimitsOptions {
  rates: Rates
  /** Queue of publications on their way to Redis. */
  publishing: FairQueue
  /** A command was refused. */
  onLimited(): void
}

/**
 * Limits the callers of the server API, by identity, over all of its tokens: commands, channels of
 * a broadcast, bytes published and bytes read.
 */
export class ApiLimits {
  readonly #options: ApiLimitsOptions
  readonly #allowances = new Map<string, Allowance>()
  #keep = minKept

  constructor(options: ApiLimitsOptions) {
    this.#options = options
  }

  /**
   * Counts a command; returns false when the identity has used up its rate. A command that starts
   * within the rate may exceed it, so that large commands are possible at all.
   */
  take(identity: string): boolean {
    const allowance = this.#of(identity)
    if (allowance.mayRead() && allowance.judge(0, 1) === 'within') {
      return true
    }
    this.#options.onLimited()
    return false
  }

  /** Charges a command for bytes that it publishes and for further commands. */
  charge(identity: string, bytes: number, commands = 0): void {
    this.#of(identity).charge(bytes, commands)
  }

  /** Returns the identity as a reader of histories and presence. */
  reader(identity: string): Reader {
    return {
      name: JSON.stringify([identity]),
      mayRead: () => this.#of(identity).mayRead(),
      chargeRead: (bytes) => this.#of(identity).chargeRead(bytes),
    }
  }

  /** Returns the seconds until a command is accepted again. */
  waitSeconds(identity: string): number {
    return Math.max(1, Math.ceil(this.#of(identity).waitMs() / 1000))
  }

  /** Publishes in the identity's turn; few publications are in flight. */
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
      this.#dropFull()
    }
    return allowance
  }

  #dropFull(): void {
    for (const [identity, allowance] of this.#allowances) {
      if (allowance.isFull()) {
        this.#allowances.delete(identity)
      }
    }
    this.#keep = Math.max(minKept, this.#allowances.size * 2)
  }
}

/** Refuses requests to the server API with 429 when the identity has used up its rate. */
export function limitApi(api: FastifyInstance, limits: ApiLimits): void {
  // After the token, which a route's onRequest hook reads, and before the body.
  api.addHook('preParsing', (request, _reply, _body, done) => {
    const { identity } = request.grant
    if (limits.take(identity)) {
      done()
    } else {
      done(tooManyRequests(limits, identity))
    }
  })
}

export function tooManyRequests(limits: ApiLimits, identity: string): Refusal {
  return new Refusal(
    429,
    'too_many_requests',
    'this identity exceeds API_COMMANDS_PER_SECOND or API_BYTES_PER_SECOND; wait, or send less',
    { 'retry-after': String(limits.waitSeconds(identity)) },
  )
}
