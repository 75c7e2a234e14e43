import { Introspection } from '@portcullis/contracts/introspection'
import { type ClientForm, IntrospectRequest } from '@portcullis/contracts/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admitBearer, isBearer } from '../../callers/bearer.js'
import { type AdmittedCaller, requireScope } from '../../callers/caller.js'
import { AuthError } from '../../errors.js'
import { introspectOne } from '../../tokens/introspect.js'
import { activeResponse } from '../../tokens/introspection.js'
import { oauthErrorResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

const introspectScope = ['introspect'] as const

/** `POST /oauth/introspect` (RFC 7662), only for callers with the scope `introspect`. */
export const introspect: Route = async (app) => {
  app.post(
    '/oauth/introspect',
    {
      config: { audit: 'token.introspect' },
      schema: {
        summary: 'Introspect a token',
        consumes: ['application/x-www-form-urlencoded'],
        body: IntrospectRequest,
        response: { 200: Introspection, ...oauthErrorResponses },
      },
    },
    async (request, reply) => {
      const waiting = requireCaller(app, request, reply, request.body)
      if (waiting !== undefined) {
        await waiting
      }
      const active = await introspectOne(app.registry, app.tokens, request.body.token)
      const response: Introspection =
        active === undefined ? { active: false } : activeResponse(app.tokens, active)
      app.meters.introspections[response.active ? 'active' : 'inactive'] += 1
      return response
    },
  )
}

/**
 * Requires a token or client credentials: open introspection allows token scanning (RFC 7662 §2.1).
 * Returns a promise only if something has to be asked: a known caller without a limit is admitted at once.
 */
function requireCaller(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  form: ClientForm,
): Promise<void> | undefined {
  const { authorization } = request.headers
  if (isBearer(authorization)) {
    if (form.client_secret !== undefined || form.client_assertion !== undefined) {
      throw new AuthError('invalid_request', 'send a bearer token or client credentials, not both')
    }
    const caller = admitBearer(app.callers, app.tokens, request, reply)
    return caller instanceof Promise
      ? caller.then((admitted) => limit(app, request, admitted))
      : limit(app, request, caller)
  }
  return app.authenticateClient(request, form).then(({ identity, scopes }) => {
    requireScope({ identity, subject: identity, scopes }, introspectScope)
  })
}

/** Counts the request for its caller, and requires the scope; returns a promise if there is a limit. */
function limit(
  app: FastifyInstance,
  request: FastifyRequest,
  caller: AdmittedCaller,
): Promise<void> | undefined {
  const counted = app.limitIdentity(request, caller.identity)
  if (counted !== undefined) {
    return counted.then(() => requireScope(caller, introspectScope))
  }
  requireScope(caller, introspectScope)
  return undefined
}
