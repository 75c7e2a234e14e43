import type { ServiceScope } from '@portcullis/contracts/scopes'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import plugin from 'fastify-plugin'
import type { Jwt } from '../tokens/jwt.js'
import { bearer } from './bearer.js'
import { type AdmittedCaller, requireScope } from './caller.js'
import type { Callers } from './callers.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that admits callers whose token has one of these scopes, as `request.caller`. */
    allow(...anyOf: ServiceScope[]): (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
  interface FastifyRequest {
    /** Who makes the request. @throws when its route has no `allow` hook. */
    readonly caller: AdmittedCaller
  }
}

/** What each `allow` hook asks for, for the API's description. */
const wanted = new WeakMap<object, readonly ServiceScope[]>()

/** The scopes of which a route's `allow` hook wants one; undefined when it has no such hook. */
export function requiredScopes({ onRequest }: RouteOptions): readonly ServiceScope[] | undefined {
  for (const hook of [onRequest].flat()) {
    const scopes = hook && wanted.get(hook)
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
 * Authorization of auth's own routes. An onRequest hook, so that nothing of a body is read, let
 * alone parsed, on behalf of someone who may not send it.
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
        const caller = await bearer(callers, jwt, request, reply)
        await app.limitIdentity(request, caller.identity)
        requireScope(caller, anyOf)
        byRequest.set(request, caller)
      }
      wanted.set(hook, anyOf)
      return hook
    })
  },
  { name: 'allow', dependencies: ['limit-requests'] },
)
