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
  /** How callers show who they are, by name (OpenAPI's Security Scheme Objects). */
  securitySchemes: Readonly<Record<string, SecurityScheme>>
  /** What a route asks for of its caller; nothing when it is open to all. */
  securityOf(route: RouteOptions): readonly SecurityRequirement[]
  /** The service's WebSocket, as an AsyncAPI 3 document. */
  asyncapi: object
}

type SecurityScheme =
  | { type: 'http'; scheme: 'bearer' | 'basic'; description: string }
  | { type: 'apiKey'; in: 'header'; name: string; description: string }

/** The scheme's name, and the scopes that are asked for. Several are alternatives. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

/**
 * The page may load what this service serves, and nothing else. Swagger UI sets style attributes and
 * has its icons in data URLs.
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

/** Where the descriptions are, for programs. */
const paths = { openapi: '/docs/openapi.json', asyncapi: '/docs/asyncapi.json' }

/**
 * Describes a service from the schemas of its routes. On `app.internal`, `GET /docs` is a page for people,
 * and OpenAPI 3.1 for programs, which do not ask for HTML; `/docs/openapi.json` and `/docs/asyncapi.json`
 * are the descriptions alone. To be registered before the routes that it is to describe.
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
        // Without the bar that asks for another description.
        layout: 'BaseLayout',
        // What is typed into the page stays in its memory.
        persistAuthorization: false,
        // Swagger's own service would get the address of this one.
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

/** What swagger-ui needs of @fastify/swagger, on a server that serves the description of another. */
function descriptionOf({ swagger: describe }: FastifyInstance) {
  return plugin(
    async (server: FastifyInstance) => {
      server.decorate('swagger', describe)
    },
    { name: '@fastify/swagger' },
  )
}

/** What the route is about: `/v1/<noun>/…`, `/<noun>/…`. */
function nounOf(url: string): string {
  const [first = '', second] = url.split('/').slice(1)
  return first === 'v1' && second !== undefined ? second : first
}

function isIndex({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === '/docs' || routeOptions.url === '/docs/'
}

/** A browser names HTML. Programs say nothing, or that anything will do. */
function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.toLowerCase().includes('text/html') ?? false
}
