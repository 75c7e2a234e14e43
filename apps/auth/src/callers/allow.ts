import type { ServiceScope } from '@portcullis/contracts/scopes'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import plugin from 'fastify-plugin'
import type { Jwt } from '../tokens/jwt.js'
import { admitBearer } from './bearer.js'
import { type AdmittedCaller, requireScope } from './caller.js'
import type { Callers } from './callers.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns a hook that admits callers with one of these scopes, as `request.caller`. */
    allow(...anyOf: ServiceScope[]): (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
  interface FastifyRequest {
    /** The caller that the route's `allow` hook admitted. @throws Error without such a hook */
    readonly caller: AdmittedCaller
  }
}

const scopesByHook = new WeakMap<object, readonly ServiceScope[]>()

/**
 * Returns the scopes of a route's `allow` hook, for the API description; undefined without such a
 * hook. The caller needs one of them.
 */
export function requiredScopes({ onRequest }: RouteOptions): readonly ServiceScope[] | undefined {
  for (const hook of [onRequest].flat()) {
    const scopes = hook && scopesByHook.get(hook)
    if (scopes) {
      return scopes
    }
  }
  return undefined
}

export interface AllowOptions {
  callers: Callers
  jwt: Jwt
}

/**
 * Authorizes callers of auth's own routes, in an onRequest hook: the body of an unauthorized caller
 * is neither read nor parsed.
 */
export const allow = plugin(
  async (app: FastifyInstance, { callers, jwt }: AllowOptions) => {
    const byRequest = new WeakMap<FastifyRequest, AdmittedCaller>()
    app.decorateRequest('caller', {
      getter(this: FastifyRequest) {
        const caller = byRequest.get(this)
        if (caller === undefined) {
          throw new Error('this route has no allow hook')
        }
        return caller
      },
    })
    app.decorate('allow', (...anyOf: ServiceScope[]) => {
      const hook = async (request: FastifyRequest, reply: FastifyReply) => {
        const caller = await admitBearer(callers, jwt, request, reply)
        await app.limitIdentity(request, caller.identity)
        requireScope(caller, anyOf)
        byRequest.set(request, caller)
      }
      scopesByHook.set(hook, anyOf)
      return hook
    })
  },
  { name: 'allow', dependencies: ['limit-requests'] },
)
