import { Introspection } from '@portcullis/contracts/introspection'
import { type ClientForm, IntrospectRequest } from '@portcullis/contracts/oauth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { admitBearer, isBearer } from '../../callers/bearer.js'
import { requireScope } from '../../callers/caller.js'
import { AuthError } from '../../errors.js'
import { introspectionResponses } from '../../tokens/introspection.js'
import { oauthErrorResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

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
      await requireCaller(app, request, reply, request.body)
      const [response = { active: false }] = await introspectionResponses(
        app.registry,
        app.tokens,
        [request.body.token],
      )
      app.meters.introspections.inc({ result: response.active ? 'active' : 'inactive' })
      return response
    },
  )
}

/**
 * Requires a token or client credentials: open introspection allows token scanning (RFC 7662 §2.1).
 */
async function requireCaller(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  form: ClientForm,
): Promise<void> {
  const { authorization } = request.headers
  if (isBearer(authorization)) {
    if (form.client_secret !== undefined || form.client_assertion !== undefined) {
      throw new AuthError('invalid_request', 'send a bearer token or client credentials, not both')
    }
    const caller = await admitBearer(app.callers, app.tokens, request, reply)
    await app.limitIdentity(request, caller.identity)
    requireScope(caller, ['introspect'])
    return
  }
  const { identity, scopes } = await app.authenticateClient(request, form)
  requireScope({ identity, subject: identity, scopes }, ['introspect'])
}
