import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import plugin from 'fastify-plugin'

export interface DocumentationOptions {
  /** Name of the service. */
  title: string
  /** Markdown. */
  description: string
  version: string
  /** OpenAPI's Security Scheme Objects, by name. */
  securitySchemes: Readonly<Record<string, SecurityScheme>>
  /** Returns what a route requires of its caller; empty for a public route. */
  securityOf(route: RouteOptions): readonly SecurityRequirement[]
  /** The service's WebSocket, as an AsyncAPI 3 document. */
  asyncapi: object
}

type SecurityScheme =
  | { type: 'http'; scheme: 'bearer' | 'basic'; description: string }
  | { type: 'apiKey'; in: 'header'; name: string; description: string }

/** Maps a scheme's name to the required scopes. Several requirements are alternatives. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

/**
 * The page may load only what this service serves. Swagger UI needs inline styles, and icons in data
 * URLs.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Paths of the machine-readable descriptions. */
const paths = { openapi: '/docs/openapi.json', asyncapi: '/docs/asyncapi.json' }

/**
 * Describes a service from the schemas of its routes. On `app.internal`, `GET /docs` answers with a page
 * if the client accepts HTML, else with OpenAPI 3.1. `/docs/openapi.json` and `/docs/asyncapi.json` have
 * the descriptions alone. Register this before the routes that it describes.
 */
export const documentation = plugin(
  async (app: FastifyInstance, options: DocumentationOptions) => {
    const { title, description, version, securitySchemes, securityOf, asyncapi } = options
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title,
          description: `${description}\n\nThe WebSocket is described by [AsyncAPI](${paths.asyncapi}).`,
          version,
          license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
        },
        components: { securitySchemes: { ...securitySchemes } },
      },
      convertConstToEnum: false,
      transform: ({ schema, url, route }) => ({
        schema: { ...schema, security: securityOf(route), tags: [nounOf(url)] },
        url,
      }),
    })
    const { internal: server } = app
    if (server === undefined) {
      return
    }
    const openapi = () => app.swagger()
    if (server !== app) {
      await server.register(descriptionOf(app))
    }
    await server.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: contentSecurityPolicy,
      theme: { title },
      uiConfig: {
        // Without the bar that loads other descriptions.
        layout: 'BaseLayout',
        // Keeps a typed token in memory only.
        persistAuthorization: false,
        // Otherwise Swagger's online validator learns this service's address.
        validatorUrl: null,
        defaultModelsExpandDepth: 0,
      },
      uiHooks: {
        async onRequest(request, reply) {
          if (isIndex(request) && !wantsPage(request)) {
            return reply.send(openapi())
          }
          return undefined
        },
      },
    })
    const hidden = { schema: { hide: true } }
    server.get(paths.openapi, hidden, async () => openapi())
    server.get(paths.asyncapi, hidden, async () => asyncapi)
  },
  { name: 'documentation', dependencies: ['internal'] },
)

/** Stands in for @fastify/swagger, which swagger-ui requires, on a server that serves another app's description. */
function descriptionOf({ swagger: describe }: FastifyInstance) {
  return plugin(
    async (server: FastifyInstance) => {
      server.decorate('swagger', describe)
    },
    { name: '@fastify/swagger' },
  )
}

/** Returns the noun of a route: `/v1/<noun>/…` or `/<noun>/…`. */
function nounOf(url: string): string {
  const [first = '', second] = url.split('/').slice(1)
  return first === 'v1' && second !== undefined ? second : first
}

function isIndex({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === '/docs' || routeOptions.url === '/docs/'
}

/** Returns true for browsers, which accept HTML explicitly. */
function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.toLowerCase().includes('text/html') ?? false
}
