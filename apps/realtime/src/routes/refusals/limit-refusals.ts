import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Tokens } from '../../connection/tokens.js'
import { ActiveTokens } from './active-tokens.js'
import { credentialsOf, digestOf, RequestDigests } from './credentials.js'
import { IntrospectionTurns } from './introspection-turns.js'
import { Refusal } from './refusal.js'
import { RefusalRates } from './refusal-rates.js'

/** Tokens remembered as active. */
const maxActiveTokens = 20_000

export interface LimitRefusalsOptions {
  /** Refusals of one address in a minute beyond which its unknown tokens wait. */
  perMinute: number
  /** Returns true for requests that must present a token. */
  isGuarded: (request: FastifyRequest) => boolean
  /** A request was refused for its address or its token. */
  onLimited: () => void
}

/**
 * Counts the requests and upgrades that were refused for their token or origin (401, 403), by
 * address. People may share an address, so an address beyond its limit is not locked out: tokens
 * that auth called active lately pass, and unknown tokens wait for a turn at introspection. A token
 * refused before is refused again from that address without asking auth.
 *
 * Each token also has a limit, a tenth of the address's: a client that reconnects with an ended
 * token costs auth little. Needs @fastify/rate-limit; register it before the gate.
 */
export function limitRefusals(app: FastifyInstance, options: LimitRefusalsOptions): RefusalLimits {
  const limits = new RefusalLimits(app, options)
  app.addHook('onRequest', (request, _reply, done) => {
    const checked = limits.check(request)
    if (checked === undefined) {
      done()
    } else {
      checked.then(() => done(), done)
    }
  })
  // The server API introspects before it parses a body; the upgrade does so after.
  app.addHook('preParsing', (request, _reply, _body, done) => {
    limits.noteAdmitted(request)
    done()
  })
  app.addHook('preHandler', (request, _reply, done) => {
    limits.noteAdmitted(request)
    limits.endTurn(request)
    done()
  })
  app.addHook('onSend', (request, { statusCode }, _payload, done) => {
    if (isRefusal(statusCode)) {
      limits.countRefused(request, statusCode).then(() => done(), done)
    } else {
      limits.endTurn(request)
      done()
    }
  })
  return limits
}

function isRefusal(statusCode: number): boolean {
  return statusCode === 401 || statusCode === 403
}

export class RefusalLimits {
  readonly #app: FastifyInstance
  readonly #options: LimitRefusalsOptions
  /** Of credentials as they arrived; a route may move them to where the gate looks. */
  readonly #digests = new WeakMap<FastifyRequest, string>()
  readonly #requestDigests = new RequestDigests()
  readonly #rates: RefusalRates
  readonly #active = new ActiveTokens(maxActiveTokens)
  readonly #turns = new IntrospectionTurns()

  constructor(app: FastifyInstance, options: LimitRefusalsOptions) {
    this.#app = app
    this.#options = options
    this.#rates = new RefusalRates(app, options.perMinute, (request) => this.#digests.get(request))
  }

  /**
   * Waits for the request's turn if its address is beyond the limit. Returns undefined when no refusal
   * was counted lately, so that there is nothing to wait for. @throws Refusal 429
   */
  check(request: FastifyRequest): Promise<void> | undefined {
    if (!this.#options.isGuarded(request)) {
      return undefined
    }
    const credentials = credentialsOf(request)
    const digest = this.#requestDigests.of(request.raw, credentials)
    this.#digests.set(request, digest)
    return this.#rates.countedLately ? this.#checkRates(request, credentials, digest) : undefined
  }

  async #checkRates(
    request: FastifyRequest,
    credentials: readonly (string | undefined)[],
    digest: string,
  ): Promise<void> {
    const token = await this.#rates.ofToken(request)
    if (token.remaining === 0) {
      this.#refuse(token.seconds)
    }
    // A request without a token is not introspected.
    const hasToken = credentials.some((each) => each !== undefined)
    if (!hasToken || this.#active.has(digest)) {
      return
    }
    if (!(await this.#rates.isAddressBeyond(request))) {
      return
    }
    if (token.remaining < token.max) {
      this.#refuse(token.seconds)
    }
    const turn = this.#turns.wait(addressOf(request))
    if (turn === undefined) {
      return this.#refuse(1)
    }
    this.#turns.assign(request, await turn)
  }

  /** Introspects a token from the first command of an upgraded socket, within the same limits. */
  async introspect(
    request: FastifyRequest,
    token: string,
    ask: Tokens['introspect'],
  ): ReturnType<Tokens['introspect']> {
    const digest = digestOf([token])
    let endTurn: (() => void) | undefined
    if (!this.#active.has(digest) && (await this.#rates.isAddressBeyond(request))) {
      const turn = this.#turns.wait(addressOf(request))
      if (turn === undefined) {
        this.#options.onLimited()
        return 'unavailable'
      }
      endTurn = await turn
    }
    try {
      const found = await ask(token)
      if (typeof found !== 'string') {
        this.#active.add(digest)
      } else if (found !== 'unavailable') {
        this.#active.delete(digest)
        await this.#rates.countForAddress(request)
      }
      return found
    } finally {
      endTurn?.()
    }
  }

  noteAdmitted(request: FastifyRequest): void {
    const digest = this.#digests.get(request)
    if (digest === undefined || !this.#app.gate.admitted(request)) {
      return
    }
    this.#active.add(digest)
    this.endTurn(request)
  }

  /** Ends the request's turn: it has been introspected, or will not be. */
  endTurn(request: FastifyRequest): void {
    this.#turns.end(request)
  }

  /** Counts a request that was refused with 401 or 403. */
  async countRefused(request: FastifyRequest, statusCode: number): Promise<void> {
    this.endTurn(request)
    const digest = this.#digests.get(request)
    if (digest === undefined) {
      return
    }
    if (statusCode === 401) {
      this.#active.delete(digest)
    }
    await this.#rates.count(request)
  }

  #refuse(seconds: number): never {
    this.#options.onLimited()
    // The random part spreads clients that share an address.
    const after = Math.max(1, seconds) + Math.floor(Math.random() * 5)
    throw new Refusal(
      429,
      'too_many_refusals',
      'too many refused requests from this address; wait before the next one',
      { 'retry-after': String(after) },
    )
  }
}
