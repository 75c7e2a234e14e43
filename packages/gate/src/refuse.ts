import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GateError, GateErrorCode } from './errors.js'
import { isUpgrade } from './sockets.js'

/** An answer that admits nobody. `error` is RFC 6750's; a missing token has none (§3.1). */
interface Refusal {
  status: number
  title: string
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

/** Seconds, spread so that clients refused together do not come back together. */
const retryAfterSeconds = { least: 1, spread: 4 }

/**
 * Answers with RFC 9457 problem JSON and RFC 6750's challenge. What is wrong inside is not told; what
 * the caller can change is. A refused upgrade loses its connection at once.
 */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { code, message }: GateError,
  scope?: string,
): FastifyReply {
  const known: RefusalCode = code === 'bad_options' ? 'auth_unavailable' : code
  const { status, title, error } = refusals[known]
  const challenge = [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ].join(', ')
  if (status === 503) {
    const { least, spread } = retryAfterSeconds
    reply.header('retry-after', String(least + Math.floor(Math.random() * spread)))
  } else {
    reply.header('www-authenticate', challenge === '' ? 'Bearer' : `Bearer ${challenge}`)
  }
  if (isUpgrade(request.raw)) {
    reply.header('connection', 'close')
    // Node leaves the socket of an upgrade to us; this one would stay open.
    const { socket } = request.raw
    reply.raw.once('finish', () => socket.destroySoon())
  }
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title,
      status,
      code: known,
      detail:
        known === 'invalid_request' ? `authentication failed: ${message}` : 'authentication failed',
    })
}
