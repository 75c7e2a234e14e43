import { createHash } from 'node:crypto'
import { bearerSubprotocolPrefix } from '@portcullis/contracts/websocket'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Tokens } from '../../connection/tokens.js'
import { FairQueue } from '../../scheduling/fair-queue.js'
import { Refusal } from './refusal.js'

const windowMs = 60_000

/** Tokens that auth has lately called active, by the digest of what was shown. */
const maxKnownGood = 20_000

/**
 * Unknown tokens from addresses beyond their limit that auth is asked about at the same time: `perAddress`
 * of one address, less than the gate has connections to auth, and `inAll`.
 */
const asking = { perAddress: 2, inAll: 32 }

/** Milliseconds until the turn of a request is over whose socket has closed, if nothing ends it before. */
const goneMs = 10_000

/** Requests of one such address, and of all of them, that wait for that or are being asked about. */
const maxWaiting = { perAddress: 256, inAll: 4096 }

export interface LimitRefusalsOptions {
  /** Refusals of one address in a minute, beyond which its unknown tokens wait. */
  perMinute: number
  /** Whether a request is one that is asked for a token. */
  isGuarded: (request: FastifyRequest) => boolean
  onLimited: () => void
}

/** Limits tokens that are shown behind the upgrade, in the first command. */
export interface Refusals {
  /** Asks about a token, which came on this upgrade, as about one that came with a request. */
  introspect(
    request: FastifyRequest,
    token: string,
    ask: Tokens['introspect'],
  ): ReturnType<Tokens['introspect']>
}

/**
 * Counts the requests and upgrades that were refused for what they brought (401, 403), by address. Many
 * people may share an address, so an address beyond the limit is not locked out: a token that auth has
 * lately called active passes, and an unknown one waits until its turn comes to be asked about, of which
 * few are at a time. What has been refused once is refused again there, without auth being asked.
 *
 * One and the same token has a limit of its own everywhere, a tenth: a client that comes again and again
 * with a token that has ended costs auth little. Needs @fastify/rate-limit, which counts, and the gate.
 */
export function limitRefusals(
  app: FastifyInstance,
  { perMinute, isGuarded, onLimited }: LimitRefusalsOptions,
): Refusals {
  /** Of what requests show, as it came: a route may move it to where the gate looks. */
  const digests = new WeakMap<FastifyRequest, string>()
  const ofAddress = app.createRateLimit({
    max: perMinute,
    timeWindow: windowMs,
    keyGenerator: addressOf,
  })
  const ofToken = app.createRateLimit({
    max: Math.floor(perMinute / 10),
    timeWindow: windowMs,
    keyGenerator: (request: FastifyRequest) => `${addressOf(request)} ${digests.get(request)}`,
  })
  const good = new RecentlyGood(maxKnownGood)
  const queue = new FairQueue({
    maxInFlight: asking.inAll,
    maxPerCaller: asking.perAddress,
    maxSliceMs: Number.POSITIVE_INFINITY,
  })
  const turns = new WeakMap<FastifyRequest, () => void>()
  const isGood = (request: FastifyRequest) => good.has(digests.get(request) ?? '')

  /** Resolves when the address may ask auth; gives the way to say that it has. Undefined: too many wait. */
  function turnOf(address: string): Promise<() => void> | undefined {
    if (queue.size >= maxWaiting.inAll) {
      return undefined
    }
    if (queue.sizeOf(address) >= maxWaiting.perAddress) {
      return undefined
    }
    return new Promise((begin) => {
      void queue.run(address, 1, () => new Promise<void>((end) => begin(end)))
    })
  }

  async function isBeyond(request: FastifyRequest): Promise<boolean> {
    const { remaining } = await counted(ofAddress, request)
    return remaining === 0
  }

  function refuse(seconds: number): never {
    onLimited()
    // Those who share an address do not all come back in one moment.
    const after = Math.max(1, seconds) + Math.floor(Math.random() * 5)
    throw new Refusal(429, 'too_many_refusals', 'too many refused requests from there; wait', {
      'retry-after': String(after),
    })
  }

  app.addHook('onRequest', async (request) => {
    if (!isGuarded(request)) {
      return
    }
    const credentials = credentialsOf(request)
    digests.set(request, digestOf(credentials))
    const token = await counted(ofToken, request)
    if (token.remaining === 0) {
      refuse(token.seconds)
    }
    // Without a token auth is not asked.
    const isShown = credentials.some((each) => each !== undefined)
    if (!isShown || isGood(request) || !(await isBeyond(request))) {
      return
    }
    if (token.remaining < token.max) {
      refuse(token.seconds)
    }
    const turn = turnOf(addressOf(request))
    if (turn === undefined) {
      return refuse(1)
    }
    const end = await turn
    const gone = () => setTimeout(end, goneMs).unref()
    request.raw.socket.once('close', gone)
    turns.set(request, () => {
      request.raw.socket.off('close', gone)
      end()
    })
  })

  /** Auth has been asked about the request's token, or will not be. */
  function endTurn(request: FastifyRequest): void {
    turns.get(request)?.()
    turns.delete(request)
  }

  async function noteAdmitted(request: FastifyRequest): Promise<void> {
    const digest = digests.get(request)
    if (digest === undefined || !app.gate.admitted(request)) {
      return
    }
    good.add(digest)
    endTurn(request)
  }

  // The server API asks before a body is parsed; an upgrade is asked about behind that.
  app.addHook('preParsing', noteAdmitted)
  app.addHook('preHandler', async (request) => {
    await noteAdmitted(request)
    endTurn(request)
  })
  app.addHook('onSend', async (request, reply) => {
    endTurn(request)
    const digest = digests.get(request)
    if (digest === undefined || (reply.statusCode !== 401 && reply.statusCode !== 403)) {
      return
    }
    if (reply.statusCode === 401) {
      good.delete(digest)
    }
    for (const limit of [ofToken, ofAddress]) {
      await limit(request)
    }
  })

  return {
    async introspect(request, token, ask) {
      const digest = digestOf([token])
      let end: (() => void) | undefined
      if (!good.has(digest) && (await isBeyond(request))) {
        const turn = turnOf(addressOf(request))
        if (turn === undefined) {
          onLimited()
          return 'unavailable'
        }
        end = await turn
      }
      try {
        const found = await ask(token)
        if (found === 'inactive') {
          good.delete(digest)
          await ofAddress(request)
        } else if (found !== 'unavailable') {
          good.add(digest)
        }
        return found
      } finally {
        end?.()
      }
    },
  }
}

type Limit = ReturnType<FastifyInstance['createRateLimit']>

async function counted(limit: Limit, request: FastifyRequest) {
  const found = await limit(request, { increment: false })
  if (found.isAllowed) {
    return { remaining: 1, max: 1, seconds: 0 }
  }
  const { remaining, max, ttlInSeconds } = found
  return { remaining, max, seconds: ttlInSeconds }
}

/** Digests of what was good when it was last asked about; the oldest are forgotten. */
class RecentlyGood {
  readonly #max: number
  readonly #digests = new Set<string>()

  constructor(max: number) {
    this.#max = max
  }

  has(digest: string): boolean {
    return this.#digests.has(digest)
  }

  add(digest: string): void {
    this.#digests.delete(digest)
    this.#digests.add(digest)
    if (this.#digests.size <= this.#max) {
      return
    }
    const [oldest] = this.#digests
    if (oldest !== undefined) {
      this.#digests.delete(oldest)
    }
  }

  delete(digest: string): void {
    this.#digests.delete(digest)
  }
}

/** Whatever a request may show a token in. */
function credentialsOf({ headers, url }: FastifyRequest): (string | undefined)[] {
  const { 'sec-websocket-protocol': protocols } = headers
  return [
    headers.authorization,
    headers['x-api-key']?.toString(),
    protocols?.includes(bearerSubprotocolPrefix) ? protocols : undefined,
    new URLSearchParams(url.split('?', 2)[1]).get('access_token') ?? undefined,
  ]
}

/** Tells texts apart, and tells nobody what they are. */
function digestOf(texts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64')
}
