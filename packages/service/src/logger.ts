import { hostname } from 'node:os'
import type { LoggerOptions } from 'pino'
import { peers } from './workers/peers.js'

/** Log lines never show a query, a header, a body or an unknown path, since these may contain tokens. */
const serializers = {
  req: (request: { method?: string; routeOptions?: { url?: string }; ip?: string }) => ({
    method: request.method,
    // The route, not the path: a parameter or an unknown path may be a pasted token.
    route: request.routeOptions?.url ?? 'none',
    from: request.ip,
  }),
  res: (reply: { statusCode?: number }) => ({ statusCode: reply.statusCode }),
  err: errorLine,
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/**
 * Returns pino's options for a service: JSON lines on standard output, with secrets redacted, and with the
 * worker's number if the service has several.
 */
export function loggerOptions(service: string, level: LogLevel): LoggerOptions {
  const worker = peers()?.place.number
  return {
    name: service,
    level,
    base: { pid: process.pid, hostname: hostname(), ...(worker === undefined ? {} : { worker }) },
    serializers,
    redact: {
      paths: [
        '*.authorization',
        '*.token',
        '*.access_token',
        '*.client_secret',
        '*.registrationCode',
      ],
      censor: '[redacted]',
    },
  }
}

/** Logs no other property of an error: an ioredis error contains the arguments of its command. */
function errorLine(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) {
    return { type: typeof error }
  }
  const { name, message, stack, cause } = error
  const code = 'code' in error ? error.code : undefined
  return {
    type: name,
    code,
    message,
    stack,
    ...(cause === undefined ? {} : { cause: errorLine(cause) }),
  }
}
