import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { AuthError } from '../errors.js'
import { guard } from '../registry/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts a request for the identity that made it.
     *
     * @throws AuthError `too_many_requests`, with `Retry-After`
     * @throws RegistryError `registry_unavailable`
     */
    limitIdentity(request: FastifyRequest, identity: string): Promise<void>
  }
}

export interface LimitRequestsOptions {
  /** Requests in a minute that one address may make to what stands on the registry; 0: no limit. */
  perAddress: number
  /** Requests in a minute that one identity may make, from wherever; 0: no limit. */
  perIdentity: number
}

/**
 * Limits requests, in Redis and so for all instances together; without Redis they are refused (503).
 * An address is counted before anything else is done, an identity once it has proved who it is: else
 * anyone could use up what it has. Needs @fastify/rate-limit, which counts.
 */
export const limitRequests = plugin(
  async (app: FastifyInstance, { perAddress, perIdentity }: LimitRequestsOptions) => {
    const identities = new WeakMap<FastifyRequest, string>()
    const timeWindow = 60_000
    const ofAddress = app.createRateLimit({
      max: perAddress,
      timeWindow,
      keyGenerator: (request) => `address:${addressOf(request)}`,
    })
    const ofIdentity = app.createRateLimit({
      max: perIdentity,
      timeWindow,
      keyGenerator: (request) => `identity:${identities.get(request)}`,
    })

    async function count(limit: typeof ofAddress, request: FastifyRequest): Promise<void> {
      const counted = await guard(limit(request))
      if (counted.isAllowed || !counted.isExceeded) return
      throw new AuthError('too_many_requests', 'too many requests; wait', {
        headers: { 'retry-after': String(Math.max(1, counted.ttlInSeconds)) },
      })
    }

    if (perAddress > 0)
      app.addHook('onRequest', async (request) => {
        if (standsOnRegistry(request)) await count(ofAddress, request)
      })
    app.decorate('limitIdentity', async (request, identity) => {
      if (perIdentity === 0) return
      identities.set(request, identity)
      await count(ofIdentity, request)
    })
  },
  { name: 'limit-requests', dependencies: ['@fastify/rate-limit'] },
)

/** Health, metrics, metadata and keys ask Redis for nothing, and are answered without it. */
function standsOnRegistry({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/oauth/') || url.startsWith('/v1/')
}
