import Fastify, { type FastifyInstance, type FastifyRequest, type RouteOptions } from 'fastify'
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

type Description = ReturnType<FastifyInstance['swagger']>

/** Paths of the machine-readable descriptions. */
const paths = { openapi: '/docs/openapi.json', asyncapi: '/docs/asyncapi.json' }

/**
 * Describes a service from the schemas of its routes. On `app.internal`, `GET /docs` answers with a page
 * if the client accepts HTML, else with OpenAPI 3.1. `/docs/openapi.json` and `/docs/asyncapi.json` have
 * the descriptions alone. Register this before the routes that it describes.
 *
 * The libraries load and the description is made at the first request, because a start does not need
 * them.
 */
export const documentation = plugin(
  async (app: FastifyInstance, options: DocumentationOptions) => {
    const { internal: server } = app
    if (server === undefined) {
      return
    }
    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => {
      routes.push(route)
    })
    let description: Promise<Description> | undefined
    const openapi = () => {
      description ??= describe(routes, options)
      return description
    }
    let opened: Promise<FastifyInstance> | undefined
    const page = () => {
      opened ??= openPage(options, openapi)
      return opened
    }
    app.addHook('onClose', async () => (await opened)?.close())
    const hidden = { schema: { hide: true } }
    for (const url of ['/docs', '/docs/', '/docs/static/*']) {
      server.get(url, hidden, async (request, reply) => {
        if (isIndex(request) && !wantsPage(request)) {
          return openapi()
        }
        const { routing } = await page()
        for (const [name, value = ''] of Object.entries(reply.getHeaders())) {
          reply.raw.setHeader(name, value)
        }
        reply.hijack()
        routing(request.raw, reply.raw)
        return reply
      })
    }
    // The page fetches `/docs/json`.
    for (const url of [paths.openapi, '/docs/json']) {
      server.get(url, hidden, () => openapi())
    }
    server.get(paths.asyncapi, hidden, async () => options.asyncapi)
  },
  { name: 'documentation', dependencies: ['internal'] },
)

/** Returns the OpenAPI document of the routes. */
async function describe(
  routes: readonly RouteOptions[],
  { title, description, version, securitySchemes, securityOf }: DocumentationOptions,
): Promise<Description> {
  const { default: swagger } = await import('@fastify/swagger')
  // The library describes the routes of an app: here one that validates and serves nothing.
  const app = Fastify({ exposeHeadRoutes: false })
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '')
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
  })
  for (const route of routes) {
    const { method, url, schema } = route
    app.route({
      method,
      url,
      schema: { ...schema, security: securityOf(route), tags: [nounOf(url)] },
      handler: () => undefined,
    })
  }
  await app.ready()
  return app.swagger()
}

/** Returns a server of the page and its files, which does not listen. */
async function openPage(
  { title }: DocumentationOptions,
  openapi: () => Promise<Description>,
): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const described = await openapi()
  const server: FastifyInstance = Fastify()
  await server.register(standIn(described))
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
  })
  await server.ready()
  return server
}

/** Stands in for @fastify/swagger, which swagger-ui requires. */
function standIn(described: Description) {
  return plugin(
    async (server: FastifyInstance) => {
      server.decorate('swagger', () => described)
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
