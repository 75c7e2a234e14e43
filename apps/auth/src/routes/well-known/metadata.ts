import { Type } from '@sinclair/typebox'
import type { Route } from '../route.js'

const Metadata = Type.Object({
  issuer: Type.String(),
  token_endpoint: Type.String(),
  introspection_endpoint: Type.String(),
  jwks_uri: Type.String(),
  grant_types_supported: Type.Array(Type.String()),
  response_types_supported: Type.Array(Type.String()),
  token_endpoint_auth_methods_supported: Type.Array(Type.String()),
  introspection_endpoint_auth_methods_supported: Type.Array(Type.String()),
  service_documentation: Type.String(),
})

/** `GET /.well-known/oauth-authorization-server` (RFC 8414): what there is, and nothing more. */
export const metadata: Route = async (app) => {
  const { issuer } = app.tokens
  const base = issuer.replace(/\/+$/, '')
  const clientAuthentication = ['client_secret_basic', 'client_secret_post']
  const answer = {
    issuer,
    token_endpoint: `${base}/oauth/token`,
    introspection_endpoint: `${base}/oauth/introspect`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials'],
    // RFC 8414 §2 requires it; without an authorization endpoint there is none.
    response_types_supported: [],
    token_endpoint_auth_methods_supported: clientAuthentication,
    introspection_endpoint_auth_methods_supported: [...clientAuthentication, 'Bearer'],
    service_documentation: `${base}/docs`,
  }
  app.get(
    '/.well-known/oauth-authorization-server',
    { schema: { summary: 'Authorization server metadata', response: { 200: Metadata } } },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return answer
    },
  )
}
