import {
  closing,
  documentation,
  health,
  internal,
  metrics,
  problems,
  requireOneHost,
  securityHeaders,
  warnOfProxy,
} from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import type { Broker } from '../broker/broker.js'
import type { Config } from '../config/config.js'
import { securitySchemes } from '../routes/api/security-schemes.js'
import { describeSocket } from '../routes/connect/describe-socket.js'
import { version } from '../version.js'

/** Registers what every service of ours has: its internal port, headers, errors and metrics. */
export async function registerService(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(internal, { port: config.INTERNAL_PORT })
  await app.register(securityHeaders, { tls: config.TLS_CERT !== undefined })
  await app.register(requireOneHost)
  await app.register(warnOfProxy, { trusted: config.TRUST_PROXY })
  await app.register(closing, { allowedRoutes: ['/health', '/ready', '/metrics'] })
  await app.register(problems)
  await app.register(metrics, { service: 'realtime', version })
}

/** Registers `/health` and `/ready`. Needs the gate. */
export async function registerHealth(app: FastifyInstance, broker: Broker): Promise<void> {
  const readsRegistry = await broker.readsRegistry()
  if (readsRegistry) {
    app.log.warn(
      "this node's Redis user can read auth's registry: an attacker who takes over the node can become administrator; give auth and the nodes separate Redis servers or Redis users (docs/security.md)",
    )
  }
  await app.register(health, {
    // A supervisor restarts a process whose node name another process has taken: it receives no
    // revocations any more.
    alive: () => app.gate.replaced(),
    checks: {
      node: () => (app.leaving ? 'closing' : undefined),
      auth: () => app.gate.ready(),
      redis: async () => broker.problem() ?? (await broker.refusal()),
    },
    ...(readsRegistry ? { warnings: { redis: "its user can read auth's registry" } } : {}),
  })
}

/** Registers `/docs`: OpenAPI for the server API, AsyncAPI for the clients' WebSocket. */
export async function registerDocumentation(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(documentation, {
    title: 'Portcullis realtime',
    description:
      'The server API of a node. The scopes of the token decide what a caller may do. A failed command returns HTTP 200 with `error`, whose codes are those of the client protocol.',
    version,
    securitySchemes,
    securityOf: ({ schema }) => schema?.security ?? [],
    asyncapi: describeSocket(publicUrl(config), version),
  })
}

/** Returns the address of this node for clients, as far as the node knows it. */
function publicUrl({ PUBLIC_URL = '', HOST, PORT }: Config): string {
  if (URL.canParse(PUBLIC_URL)) {
    return PUBLIC_URL
  }
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}
