import type { FastifyError, FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

/**
 * Answers every error as RFC 9457 problem JSON. What went wrong inside is logged, never sent:
 * a 5xx says only that it happened, and which request to look for in the log.
 */
export const problems = plugin(
  async (app: FastifyInstance) => {
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?', 1)[0]
      reply
        .code(404)
        .type('application/problem+json')
        .send({
          type: 'about:blank',
          title: 'Not Found',
          status: 404,
          detail: `there is no ${request.method} ${path}`,
        })
    })
    app.setErrorHandler((error: FastifyError & { problem?: string }, request, reply) => {
      const status =
        error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500
      const server = status >= 500
      if (server) request.log.error({ err: error }, 'request failed')
      reply
        .code(status)
        .type('application/problem+json')
        .send({
          type: 'about:blank',
          title: titles[status] ?? (server ? 'Server Error' : 'Bad Request'),
          status,
          code: server && status === 500 ? 'internal_error' : (error.problem ?? error.code),
          detail: status === 500 ? 'the request failed; the log has the cause' : error.message,
          instance: request.id,
        })
    })
  },
  { name: 'problems' },
)

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
