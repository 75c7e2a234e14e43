import { setTimeout } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'

/** Settings of how a service stops. */
export const shutdownSettings = {
  SHUTDOWN_DELAY_MS: Type.Integer({
    default: 2000,
    minimum: 0,
    maximum: 600_000,
    description:
      'milliseconds between a stop signal and the close: /ready answers 503 and everything else works, so that load balancers stop choosing this instance before it refuses requests. Longer than their health checks take to notice; 0 without a load balancer',
  }),
}

declare module 'fastify' {
  interface FastifyInstance {
    /** True once the app has begun to close. */
    readonly closing: boolean
    /** True once the app has begun to close, or will close after the time for load balancers. */
    readonly leaving: boolean
    /**
     * Makes the app answer on `/ready` that it is leaving, and everything else as usual, so that load
     * balancers stop choosing it before it refuses requests. Resolves after this time, in milliseconds.
     */
    leave(delayMs: number): Promise<void>
  }
}

export interface ClosingOptions {
  /** Routes that keep answering while the app closes, for monitoring. */
  allowedRoutes: readonly string[]
  /** Returns an error body other than problem JSON, for routes whose standard defines one. */
  bodyOf?: (request: FastifyRequest) => object | undefined
}

/** Seconds. Random, so that clients refused together do not retry together. */
const retryAfterSeconds = { min: 1, spread: 4 }

/**
 * Refuses new requests once the app begins to close: 503 with `Retry-After`, and closes the connection, so
 * that a load balancer uses another instance. Earlier requests are answered as usual, except upgrades that
 * are not complete.
 *
 * Requires `return503OnClosing: false`: Fastify's own 503 has no `Retry-After`, covers `/health` too, and
 * leaves the socket of an upgrade open. Register this before anything that takes time to close.
 */
export const closing = plugin(
  async (app: FastifyInstance, { allowedRoutes, bodyOf }: ClosingOptions) => {
    let begun = false
    let left = false
    app.decorate('closing', { getter: () => begun })
    app.decorate('leaving', { getter: () => begun || left })
    app.decorate('leave', (delayMs: number) => {
      left = true
      return setTimeout(delayMs)
    })
    app.addHook('preClose', async () => {
      begun = true
    })
    app.addHook('onRequest', (request, reply, done) => {
      if (begun && !allowedRoutes.includes(request.routeOptions.url ?? '')) {
        refuse(request, reply, bodyOf)
      } else {
        done()
      }
    })
    app.addHook('preHandler', (request, reply, done) => {
      if (begun && isUpgrade(request)) {
        refuse(request, reply, bodyOf)
      } else {
        done()
      }
    })
  },
  { name: 'closing', fastify: '5.x' },
)

/** Sends the refusal without logging it: every client that connects during the close gets one. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  bodyOf: ClosingOptions['bodyOf'],
): FastifyReply {
  const { min, spread } = retryAfterSeconds
  if (isUpgrade(request)) {
    // Node does not close the socket of an upgrade.
    reply.raw.once('finish', () => request.raw.socket.destroySoon())
  }
  reply.code(503).headers({
    connection: 'close',
    'retry-after': String(min + Math.floor(Math.random() * spread)),
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
    detail: 'this instance is closing; retry with another instance',
    instance: request.id,
  })
}

function isUpgrade(request: FastifyRequest): boolean {
  return request.raw.headers.upgrade !== undefined
}
