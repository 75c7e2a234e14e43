import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the app has begun to close. */
    readonly closing: boolean
  }
}

export interface ClosingOptions {
  /** Paths that are answered to the end: whoever watches the process wants to know how it goes. */
  answers: readonly string[]
  /** What to answer in place of problem JSON, where a route's standard has errors of its own. */
  bodyOf?: (request: FastifyRequest) => object | undefined
}

/** Seconds, spread so that clients refused together do not come back together. */
const retryAfterSeconds = { least: 1, spread: 4 }

/**
 * Refuses newcomers from the moment that the app begins to close: 503 with `Retry-After`, on a
 * connection that ends with it, so that a load balancer goes elsewhere. Requests that came before are
 * answered as ever; upgrades among them, that nothing stands on yet, are refused too.
 *
 * Needs `return503OnClosing: false`: Fastify's own 503 says nothing of later, answers for `/health` too,
 * and leaves the socket of an upgrade open. To be registered before anything that takes time to close.
 */
export const closing = plugin(
  async (app: FastifyInstance, { answers, bodyOf }: ClosingOptions) => {
    let begun = false
    app.decorate('closing', { getter: () => begun })
    app.addHook('preClose', async () => {
      begun = true
    })
    app.addHook('onRequest', async (request, reply) => {
      if (begun && !answers.includes(request.routeOptions.url ?? '')) {
        return refuse(request, reply, bodyOf)
      }
      return undefined
    })
    app.addHook('preHandler', async (request, reply) => {
      if (begun && isUpgrade(request)) {
        return refuse(request, reply, bodyOf)
      }
      return undefined
    })
  },
  { name: 'closing', fastify: '5.x' },
)

/** Not an error that is logged: there are as many as clients that come. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  bodyOf: ClosingOptions['bodyOf'],
): FastifyReply {
  const { least, spread } = retryAfterSeconds
  if (isUpgrade(request)) {
    // Node leaves the socket of an upgrade to us; this one would stay open.
    reply.raw.once('finish', () => request.raw.socket.destroySoon())
  }
  reply.code(503).headers({
    connection: 'close',
    'retry-after': String(least + Math.floor(Math.random() * spread)),
  })
  const body = bodyOf?.(request)
  if (body !== undefined) {
    return reply.send(body)
  }
  return reply.type('application/problem+json').send({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    code: 'closing',
    detail: 'this instance is closing; try again, at another',
    instance: request.id,
  })
}

function isUpgrade(request: FastifyRequest): boolean {
  return request.raw.headers.upgrade !== undefined
}
