import type { FastifyRequest } from 'fastify'
import type { Tokens } from '../../connection/tokens.js'
import type { RefusalLimits } from './limit-refusals.js'

/**
 * Returns the introspection of tokens that come in commands, within the limits of the request's address.
 * Closures of one function share its variables: made inside a route, this would let those that live as
 * long as the client keep the request.
 */
export function introspectLimited(
  refusals: RefusalLimits,
  request: FastifyRequest,
  tokens: Tokens,
): Tokens['introspect'] {
  return (token) => refusals.introspect(request, token, (shown) => tokens.introspect(shown))
}
