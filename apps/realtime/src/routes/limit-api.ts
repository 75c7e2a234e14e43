import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Rates } from '../connection/allowance.js'
import { Refusal } from './refusal.js'

/** Counts one command more of a request; gives the seconds to wait when it is one too many. */
export type Count = (request: FastifyRequest) => Promise<number | undefined>

/**
 * Limits requests with a token of a user to what a connection on it may send, so that HTTP is no way
 * around it. An identity's own token (its subject is itself) is a backend's, and has no limit.
 * Gives the way to count what else a request asks for, beside itself.
 */
export function limitApi(
  api: FastifyInstance,
  { commandsPerSecond, burstSeconds }: Rates,
  onLimited: () => void,
): Count {
  const requests = api.createRateLimit({
    max: commandsPerSecond * burstSeconds,
    timeWindow: burstSeconds * 1000,
    keyGenerator: ({ grant: { identity, subject } }) => JSON.stringify([identity, subject]),
  })
  const count: Count = async (request) => {
    const { identity, subject } = request.grant
    if (subject === identity) return undefined
    const counted = await requests(request)
    if (counted.isAllowed || !counted.isExceeded) return undefined
    onLimited()
    return Math.max(1, counted.ttlInSeconds)
  }
  // Behind the token, which a route's onRequest takes, and before the body.
  api.addHook('preParsing', async (request) => {
    const seconds = await count(request)
    if (seconds === undefined) return
    throw new Refusal(429, 'too_many_requests', 'too many requests with this token; wait', {
      'retry-after': String(seconds),
    })
  })
  return count
}
