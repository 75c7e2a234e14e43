import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GateError, GateErrorCode } from '../errors.js'
import { isUpgrade } from './sockets.js'

interface Refusal {
  status: number
  title: string
  /** Error code of RFC 6750; absent when the token is missing (§3.1). */
  error?: string
}

const refusals: Readonly<Record<Exclude<GateErrorCode, 'bad_options'>, Refusal>> = {
  missing_token: { status: 401, title: 'Unauthorized' },
  invalid_request: { status: 400, title: 'Bad Request', error: 'invalid_request' },
  invalid_token: { status: 401, title: 'Unauthorized', error: 'invalid_token' },
  insufficient_scope: { status: 403, title: 'Forbidden', error: 'insufficient_scope' },
  auth_unavailable: { status: 503, title: 'Service Unavailable' },
}

export type RefusalCode = keyof typeof refusals

/** Seconds. Random, so that clients refused together do not retry together. */
const retryAfterSeconds = { min: 1, spread: 4 }

/**
 * Answers with RFC 9457 problem JSON and the challenge of RFC 6750. Tells the caller what to change, and
 * nothing about internals. Ends the connection of a refused upgrade.
 */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { code, message }: GateError,
  scope?: string,
): FastifyReply {
  const known: RefusalCode = code === 'bad_options' ? 'auth_unavailable' : code
  challenge(reply, known, scope)
  if (isUpgrade(request.raw)) {
    reply.header('connection', 'close')
    // Node does not close the socket of an upgrade.
    const { socket } = request.raw
    reply.raw.once('finish', () => socket.destroySoon())
  }
  return reply
    .code(refusals[known].status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(
      problem(
        known,
        known === 'invalid_request' ? `authentication failed: ${message}` : 'authentication failed',
      ),
    )
}

/** Replaces the headers of an unsent answer by those of a refusal. Returns the refusal's body. */
export function replaceAnswer(
  reply: FastifyReply,
  code: 'invalid_token' | 'auth_unavailable',
): string {
  for (const name of Object.keys(reply.getHeaders())) {
    reply.removeHeader(name)
  }
  challenge(reply, code)
  const body = JSON.stringify(problem(code, 'authentication failed'))
  reply
    .code(refusals[code].status)
    .header('content-length', Buffer.byteLength(body))
    .type('application/problem+json')
  return body
}

function challenge(reply: FastifyReply, code: RefusalCode, scope?: string): void {
  const { status, error } = refusals[code]
  if (status === 503) {
    const { min, spread } = retryAfterSeconds
    reply.header('retry-after', String(min + Math.floor(Math.random() * spread)))
    return
  }
  const parts = [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ].join(', ')
  reply.header('www-authenticate', parts === '' ? 'Bearer' : `Bearer ${parts}`)
}

function problem(code: RefusalCode, detail: string) {
  const { status, title } = refusals[code]
  return { type: 'about:blank', title, status, code, detail }
}
