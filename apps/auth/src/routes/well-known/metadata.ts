import { clientAuthMethods, grantTypes } from '@portcullis/contracts/clients'
import { serviceScopes } from '@portcullis/contracts/scopes'
import { Type } from '@sinclair/typebox'
import { clientSigningAlgorithms } from '../../callers/client-keys.js'
import { endpoints } from '../../endpoints.js'
import type { Route } from '../route.js'
import { allowPages } from './allow-pages.js'

const Words = Type.Array(Type.String())
const Metadata = Type.Object({
  issuer: Type.String(),
  token_endpoint: Type.String(),
  token_endpoint_auth_methods_supported: Words,
  token_endpoint_auth_signing_alg_values_supported: Words,
  introspection_endpoint: Type.String(),
  introspection_endpoint_auth_methods_supported: Words,
  introspection_endpoint_auth_signing_alg_values_supported: Words,
  revocation_endpoint: Type.String(),
  revocation_endpoint_auth_methods_supported: Words,
  revocation_endpoint_auth_signing_alg_values_supported: Words,
  registration_endpoint: Type.String(),
  jwks_uri: Type.String(),
  grant_types_supported: Words,
  response_types_supported: Words,
  scopes_supported: Words,
  service_documentation: Type.Optional(Type.String()),
})

const wellKnown = '/.well-known/oauth-authorization-server'

/** `GET /.well-known/oauth-authorization-server` (RFC 8414). */
export const metadata: Route = async (app) => {
  const { issuer } = app.tokens
  const urls = endpoints(issuer)
  // Only if this port serves the documentation.
  const isDocumented = app.hasRoute({ method: 'GET', url: '/docs/openapi.json' })
  const algorithms = [...clientSigningAlgorithms]
  const document = {
    issuer,
    token_endpoint: urls.token,
    token_endpoint_auth_methods_supported: [...clientAuthMethods],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint: urls.introspection,
    introspection_endpoint_auth_methods_supported: [...clientAuthMethods, 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint: urls.revocation,
    revocation_endpoint_auth_methods_supported: [...clientAuthMethods],
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    registration_endpoint: urls.registration,
    jwks_uri: urls.keySet,
    grant_types_supported: [...grantTypes],
    // Required by RFC 8414 §2; empty without an authorization endpoint.
    response_types_supported: [],
    // Channel scopes are patterns, and cannot be listed.
    scopes_supported: [...serviceScopes],
    ...(isDocumented ? { service_documentation: urls.documentation } : {}),
  }
  // §3.1: clients append the issuer's path, if it has one, to the well-known path.
  const path = new URL(issuer).pathname.replace(/\/+$/, '')
  for (const url of new Set([wellKnown, `${wellKnown}${path}`])) {
    app.get(
      url,
      { schema: { summary: 'Authorization server metadata', response: { 200: Metadata } } },
      async (_request, reply) => {
        allowPages(reply)
        reply.header('cache-control', 'public, max-age=300')
        return document
      },
    )
  }
}
