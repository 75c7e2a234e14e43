import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyInstance } from 'fastify'
import { answerHeaders } from './security-headers.js'

const knownErrors: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
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
const malformed = {
  status: 400,
  code: 'malformed_request',
  detail: 'this is not an HTTP/1.1 request',
}

/**
 * For Fastify's `clientErrorHandler`: answers a malformed or slow request, or one with too many headers,
 * with RFC 9457 problem JSON. Then ends the connection, since the start of the next request is unknown.
 */
export function answerClientError(
  this: FastifyInstance,
  error: ConnectionError,
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    return
  }
  const { status, code, detail } = knownErrors[error.code] ?? malformed
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
