import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { AuthError } from '../errors.js'
import { charge, type Registry } from '../registry/index.js'

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
  interface FastifyContextConfig {
    /**
     * Units of work that a request counts as in the limits, once it has been validated; one when a
     * route does not say. A unit is about the work of one introspection.
     */
    units?: (request: FastifyRequest) => number
  }
}

export interface LimitRequestsOptions {
  registry: Registry
  /** Units of work in a minute that one address may ask for; 0: no limit. */
  perAddress: number
  /** Units of work in a minute that one identity may ask for, from wherever; 0: no limit. */
  perIdentity: number
}

const windowMs = 60_000

/**
 * Limits the work that requests ask for, in Redis and so for all instances together; without Redis they
 * are refused (503). An address is charged one unit before anything else is done, an identity once it
 * has proved who it is: else anyone could use up what it has. What a large request counts as beyond
 * that is charged to both before its work is begun.
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
        if (standsOnRegistry(request)) {
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
    app.decorate('limitIdentity', async (request, identity) => {
      identities.set(request, identity)
      await chargeIdentity(request, 1)
    })
  },
  { name: 'limit-requests' },
)

function tooMany(units: number, maxUnits: number, waitMs: number): AuthError {
  const message =
    units < maxUnits
      ? 'too many requests; wait'
      : `this request counts as ${units + 1} of the ${maxUnits} that are allowed in a minute; ask for less at a time`
  return new AuthError('too_many_requests', message, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  })
}

/** Health, metrics, metadata and keys ask Redis for nothing, and are answered without it. */
function standsOnRegistry({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/oauth/') || url.startsWith('/v1/')
}
