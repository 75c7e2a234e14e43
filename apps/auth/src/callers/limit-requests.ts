import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { AuthError } from '../errors.js'
import { charge, type Registry } from '../registry/index.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts a request against its identity's limit. Returns undefined when there is no limit.
     *
     * @throws AuthError `too_many_requests`, with `Retry-After`
     * @throws RegistryError `registry_unavailable`
     */
    limitIdentity(request: FastifyRequest, identity: string): Promise<void> | undefined
  }
  interface FastifyContextConfig {
    /**
     * Returns the units of work that a validated request counts as; default: 1. One unit is about the
     * work of one introspection.
     */
    units?: (request: FastifyRequest) => number
  }
}

export interface LimitRequestsOptions {
  registry: Registry
  /** Units of work per minute for one address; 0: no limit. */
  perAddress: number
  /** Units of work per minute for one identity, from all addresses; 0: no limit. */
  perIdentity: number
}

const windowMs = 60_000

/**
 * Limits the work of requests, in Redis and so for all instances together; without Redis, requests
 * are refused (503). A request first costs its address one unit. It costs an identity one unit only
 * after authentication, or strangers could use up the identity's limit. The further units of a
 * large request are charged to both before its work begins.
 */
export const limitRequests = plugin(
  async (app: FastifyInstance, { registry, perAddress, perIdentity }: LimitRequestsOptions) => {
    const identities = new WeakMap<FastifyRequest, string>()

    async function chargeTo(name: string, maxUnits: number, units: number): Promise<void> {
      const waitMs = await charge(registry, { name, maxUnits, windowMs }, units)
      if (waitMs !== undefined) {
        throw tooMany(units, maxUnits, waitMs)
      }
    }
    const chargeAddress = async (request: FastifyRequest, units: number) => {
      if (perAddress > 0) {
        await chargeTo(`address:${addressOf(request)}`, perAddress, units)
      }
    }
    const chargeIdentity = async (request: FastifyRequest, units: number) => {
      const identity = identities.get(request)
      if (perIdentity > 0 && identity !== undefined) {
        await chargeTo(`identity:${identity}`, perIdentity, units)
      }
    }

    if (perAddress > 0) {
      app.addHook('onRequest', async (request) => {
        if (needsRegistry(request)) {
          await chargeAddress(request, 1)
        }
      })
    }
    if (perAddress > 0 || perIdentity > 0) {
      app.addHook('preHandler', async (request) => {
        const more = (request.routeOptions.config.units?.(request) ?? 1) - 1
        if (more <= 0) {
          return
        }
        await chargeAddress(request, more)
        await chargeIdentity(request, more)
      })
    }
    app.decorate('limitIdentity', (request, identity) => {
      if (perIdentity === 0) {
        return undefined
      }
      identities.set(request, identity)
      return chargeIdentity(request, 1)
    })
  },
  { name: 'limit-requests' },
)

function tooMany(units: number, maxUnits: number, waitMs: number): AuthError {
  const message =
    units < maxUnits
      ? 'too many requests; wait, then try again'
      : `this request counts as ${units + 1} units of ${maxUnits} per minute; ask for less in one request`
  return new AuthError('too_many_requests', message, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
}

/** Returns false for health, metrics, metadata and keys, which work without Redis. */
function needsRegistry({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/oauth/') || url.startsWith('/v1/')
}
