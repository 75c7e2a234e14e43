import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.js'
import { EventSender } from '../handlers/events/event-sender.js'

/** How long a request gathers events, in milliseconds. */
const gatherMs = 50

/** Makes the sender of events; returns undefined when the application wants none. */
export function openEvents(config: Config, log: FastifyBaseLogger): EventSender | undefined {
  const { events: endpoint } = config.HANDLERS
  if (endpoint === undefined) {
    return undefined
  }
  return new EventSender({
    endpoint,
    secret: config.HANDLER_SECRET,
    node: config.NODE_NAME,
    timeoutMs: config.HANDLER_TIMEOUT_MS,
    maxWaiting: config.MAX_WAITING_EVENTS,
    gatherMs,
    onFailing: (handler, error) => log.warn({ handler, err: error }, 'handler fails'),
    onRecovered: (handler) => log.info({ handler }, 'handler answers again'),
  })
}
