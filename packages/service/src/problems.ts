import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { answerHeaders } from './security-headers.js'

/** An error as it is answered: what `problems` understands of anything that is thrown. */
export interface AnswerableError {
  statusCode: number
  /** Stable, for programs. */
  code?: string
  /** Says what to change; sent unless `statusCode` is 500. */
  message: string
  /** Sent with the answer: `www-authenticate`, `retry-after`. */
  headers?: Readonly<Record<string, string>>
}

export interface ProblemsOptions {
  /** Says how an error of the application's own is answered; undefined: as it stands. */
  translate?: (error: unknown) => AnswerableError | undefined
}

/**
 * Answers every error as RFC 9457 problem JSON. What went wrong inside is logged, never sent:
 * a 500 says only that it happened, and which request to look for in the log.
 */
export const problems = plugin(
  async (app: FastifyInstance, { translate }: ProblemsOptions) => {
    // The path is not repeated: it may hold what someone took for a place to put a token.
    app.setNotFoundHandler((request, reply) => {
      const detail = `there is no such ${request.method}; the API's description has all paths`
      send(request, reply, { statusCode: 404, code: 'not_found', message: detail })
    })
    app.setErrorHandler((error: FastifyError, request, reply) => {
      send(request, reply, answerable(error, translate), error)
    })
  },
  { name: 'problems' },
)

/** How an error is answered; anything unknown is a 500 that says nothing of itself. */
export function answerable(
  error: unknown,
  translate?: ProblemsOptions['translate'],
): AnswerableError {
  const known = translate?.(error) ?? error
  const { statusCode, code, message, headers } = known as Partial<AnswerableError>
  if (statusCode === undefined || statusCode < 400 || statusCode === 500) {
    return {
      statusCode: 500,
      code: 'internal_error',
      message: 'the request failed; the log has the cause',
    }
  }
  return {
    statusCode,
    ...(code === undefined ? {} : { code }),
    message: message ?? '',
    ...(headers === undefined ? {} : { headers }),
  }
}

/** For Fastify's `frameworkErrors`: requests that reach no route, as a path that cannot be decoded. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { statusCode = 400, code } = error
  // No hook runs for these.
  reply.headers(answerHeaders)
  send(request, reply, { statusCode, code, message: 'the path of the request cannot be read' })
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { statusCode, code, message, headers = {} }: AnswerableError,
  cause?: unknown,
): void {
  if (statusCode >= 500) {
    request.log.error({ err: cause }, 'request failed')
  }
  reply
    .code(statusCode)
    .headers(headers)
    .type('application/problem+json')
    .send(problemOf(request, { statusCode, message, ...(code === undefined ? {} : { code }) }))
}

/** Returns the RFC 9457 problem for an error. */
export function problemOf(
  { id }: Pick<FastifyRequest, 'id'>,
  { statusCode, code, message }: AnswerableError,
) {
  return {
    type: 'about:blank',
    title: titles[statusCode] ?? (statusCode >= 500 ? 'Server Error' : 'Bad Request'),
    status: statusCode,
    code,
    detail: message,
    instance: id,
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
