import { createHash } from 'node:crypto'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Refusal } from './refusal.js'

const windowMs = 60_000

export interface LimitRefusalsOptions {
  /** Refusals that one address may get in a minute. */
  perMinute: number
  /** Whether a request is one that is asked for a token. */
  isGuarded: (request: FastifyRequest) => boolean
  onLimited: () => void
}

/** Where refusals are counted that are no answer to a request. */
export interface Refusals {
  /** The token that came in the first command, behind this upgrade, was none. */
  count(request: FastifyRequest): void
}

/**
 * Counts the requests and upgrades that were refused for what they brought (401, 403), and refuses
 * those beyond the limit with 429 before auth is asked. Needs @fastify/rate-limit, which counts.
 *
 * Many people may share an address, so what lets somebody in is never counted, and one and the same
 * token has a limit of its own, far below the address's: a client that comes again and again with a
 * token that has ended is stopped there, and costs its neighbours little. Sockets that are open do not
 * notice at all.
 */
export function limitRefusals(
  app: FastifyInstance,
  { perMinute, isGuarded, onLimited }: LimitRefusalsOptions,
): Refusals {
  const ofAddress = app.createRateLimit({
    max: perMinute,
    timeWindow: windowMs,
    keyGenerator: addressOf,
  })
  const ofToken = app.createRateLimit({
    max: Math.floor(perMinute / 10),
    timeWindow: windowMs,
    keyGenerator: credentialsOf,
  })
  const limits = [ofToken, ofAddress]

  app.addHook('onRequest', async (request) => {
    if (!isGuarded(request)) return
    for (const limit of limits) {
      const counted = await limit(request, { increment: false })
      if (counted.isAllowed || counted.remaining > 0) continue
      onLimited()
      // Those who share an address do not all come back in one moment.
      const seconds = Math.max(1, counted.ttlInSeconds) + Math.floor(Math.random() * 5)
      throw new Refusal(429, 'too_many_refusals', 'too many refused requests from there; wait', {
        'retry-after': String(seconds),
      })
    }
  })
  app.addHook('onSend', async (request, reply) => {
    if (!isGuarded(request) || (reply.statusCode !== 401 && reply.statusCode !== 403)) return
    for (const limit of limits) await limit(request)
  })
  return {
    count: (request) => {
      ofAddress(request).catch((error) => app.log.warn({ err: error }, 'refusals'))
    },
  }
}

/** One text for one address and token, wherever the token is; it tells nobody the token. */
function credentialsOf(request: FastifyRequest): string {
  const { headers, url } = request
  const places = [
    addressOf(request),
    headers.authorization,
    headers['x-api-key'],
    headers['sec-websocket-protocol'],
    new URLSearchParams(url.split('?', 2)[1]).get('access_token'),
  ]
  return createHash('sha256').update(JSON.stringify(places)).digest('base64')
}
