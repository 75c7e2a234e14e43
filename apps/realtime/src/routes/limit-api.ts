import type { FastifyInstance } from 'fastify'
import type { Rates } from '../connection/allowance.js'
import { Refusal } from './refusal.js'

/**
 * Limits requests with a token of a user to what a connection on it may send, so that HTTP is no way
 * around it. An identity's own token (its subject is itself) is a backend's, and has no limit.
 */
export function limitApi(
  api: FastifyInstance,
  { commandsPerSecond, burstSeconds }: Rates,
  onLimited: () => void,
): void {
  const requests = api.createRateLimit({
    max: commandsPerSecond * burstSeconds,
    timeWindow: burstSeconds * 1000,
    keyGenerator: ({ grant: { identity, subject } }) => JSON.stringify([identity, subject]),
  })
  // Behind the token, which a route's onRequest takes, and before the body.
  api.addHook('preParsing', async (request) => {
    const { identity, subject } = request.grant
    if (subject === identity) return
    const counted = await requests(request)
    if (counted.isAllowed || !counted.isExceeded) return
    onLimited()
    throw new Refusal(429, 'too_many_requests', 'too many requests with this token; wait', {
      'retry-after': String(Math.max(1, counted.ttlInSeconds)),
    })
  })
}
