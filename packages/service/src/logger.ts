import type { LoggerOptions } from 'pino'

/** What a log line may show: never a query, header, body or unknown path, where tokens travel. */
const serializers = {
  req: (request: { method?: string; routeOptions?: { url?: string }; ip?: string }) => ({
    method: request.method,
    // A path nobody knows may be a token that someone pasted; so may a parameter of a known one.
    route: request.routeOptions?.url ?? 'none',
    from: request.ip,
  }),
  res: (reply: { statusCode?: number }) => ({ statusCode: reply.statusCode }),
  err: errorLine,
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** pino's options for a service: JSON lines on standard output, secrets cut out wherever they are. */
export function loggerOptions(service: string, level: LogLevel): LoggerOptions {
  return {
    name: service,
    level,
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

/** No other property of an error: an ioredis error carries the arguments of its command. */
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
