import type { SecurityRequirement } from '@portcullis/service'
import type { RouteOptions } from 'fastify'
import { requiredScopes } from '../callers/allow.js'

/** Ways to authenticate, for the API description. */
export const securitySchemes = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token with one of the scopes named at the route, or `admin`.',
  },
  client: {
    type: 'http',
    scheme: 'basic',
    description:
      'The identity and a registration code, each form-encoded (RFC 6749 §2.3.1); or both in the form, as `client_id` and `client_secret`; or a JWT signed by the client, as `client_assertion` (RFC 7523 §2.2).',
  },
  registration: {
    type: 'http',
    scheme: 'bearer',
    description: 'The `registration_access_token` of the client (RFC 7592 §2).',
  },
} as const

/** Returns the authentication that a route requires. */
export function securityOf(route: RouteOptions): readonly SecurityRequirement[] {
  const scopes = requiredScopes(route)
  if (scopes !== undefined) {
    return [{ token: scopes }]
  }
  return clientRoutes.get(route.url) ?? []
}

/** Routes that check credentials in their handler. */
const clientRoutes: ReadonlyMap<string, readonly SecurityRequirement[]> = new Map([
  ['/oauth/token', [{ client: [] }]],
  ['/oauth/introspect', [{ client: [] }, { token: ['introspect'] }]],
  ['/oauth/revoke', [{ client: [] }]],
  ['/oauth/register/:client_id', [{ registration: [] }]],
])
