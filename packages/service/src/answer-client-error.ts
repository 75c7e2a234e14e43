import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyInstance } from 'fastify'
import { answerHeaders } from './security-headers.js'

const answers: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    detail: 'the request did not arrive in time; send it again, faster',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'the request line and its headers are too large; send less',
  },
}
const malformed = { status: 400, code: 'malformed_request', detail: 'this is no HTTP/1.1 request' }

/**
 * For Fastify's `clientErrorHandler`: what came over a connection is no request, or came too slowly, or
 * with too many headers. Answered as RFC 9457 problem JSON, as far as anyone still listens; then the
 * connection ends, for nobody knows where in it the next request would begin.
 */
export function answerClientError(
  this: FastifyInstance,
  error: ConnectionError,
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    return
  }
  const { status, code, detail } = answers[error.code] ?? malformed
  this.log.trace({ err: error }, 'client error')
  if (socket.writable) {
    const title = STATUS_CODES[status]
    const body = JSON.stringify({ type: 'about:blank', title, status, code, detail })
    const headers = {
      ...answerHeaders,
      connection: 'close',
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(body)),
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    socket.write([`HTTP/1.1 ${status} ${title}`, ...lines, '', body].join('\r\n'))
  }
  socket.destroySoon()
}
