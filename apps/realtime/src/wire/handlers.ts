import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.js'
import { HttpHandlers } from '../handlers/http-handlers.js'
import type { Timings } from '../metrics/timings.js'

/** Makes the client of the application's HTTP handlers. */
export function openHandlers(
  config: Config,
  log: FastifyBaseLogger,
  { handlerCalls }: Timings,
): HttpHandlers {
  return new HttpHandlers({
    endpoints: config.HANDLERS,
    secret: config.HANDLER_SECRET,
    timeoutMs: config.HANDLER_TIMEOUT_MS,
    maxCalls: config.HANDLER_CALLS,
    maxAnswerBytes: config.HANDLER_ANSWER_BYTES,
    onFailing: (handler, error) => log.warn({ handler, err: error }, 'handler fails'),
    onRecovered: (handler) => log.info({ handler }, 'handler answers again'),
    onDone: (result, ms) => handlerCalls[result].observe(ms),
  })
}
