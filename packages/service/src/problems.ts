import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { answerHeaders } from './security-headers.js'

/** The properties of a thrown error that `problems` uses. */
export interface AnswerableError {
  statusCode: number
  /** Stable, for programs. */
  code?: string
  /** Tells the caller what to change; sent unless `statusCode` is 500. */
  message: string
  /** Headers of the answer: `www-authenticate`, `retry-after`. */
  headers?: Readonly<Record<string, string>>
}

export interface ProblemsOptions {
  /** Translates an application's own error; returns undefined to leave the error unchanged. */
  translate?: (error: unknown) => AnswerableError | undefined
}

/**
 * Answers every error as RFC 9457 problem JSON. Internal errors are logged and never sent: a 500 has only
 * the id of the request, to find in the log.
 */
export const problems = plugin(
  async (app: FastifyInstance, { translate }: ProblemsOptions) => {
    // The answer does not repeat the path, which may contain a token by mistake.
    app.setNotFoundHandler((request, reply) => {
      const detail = `no route for this path and ${request.method}; the API's description lists every path`
      send(request, reply, { statusCode: 404, code: 'not_found', message: detail })
    })
    app.setErrorHandler((error: FastifyError, request, reply) => {
      send(request, reply, answerable(error, translate), error)
    })
  },
  { name: 'problems' },
)

/** Returns how to answer an error. An unknown error becomes a 500 without its message. */
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

/** For Fastify's `frameworkErrors`: answers requests that reach no route, such as undecodable paths. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { statusCode = 400, code } = error
  // Fastify runs no hooks for these requests.
  reply.headers(answerHeaders)
  send(request, reply, { statusCode, code, message: 'the path of the request cannot be decoded' })
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
