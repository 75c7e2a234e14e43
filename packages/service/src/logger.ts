import type { LoggerOptions } from 'pino'

/** What a log line may show of a request: never its query, headers or body, where tokens travel. */
const serializers = {
  req: (request: { method?: string; url?: string; ip?: string }) => ({
    method: request.method,
    path: request.url?.split('?', 1)[0],
    from: request.ip,
  }),
  res: (reply: { statusCode?: number }) => ({ statusCode: reply.statusCode }),
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
