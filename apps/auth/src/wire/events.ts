import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import type { Events } from '../events/context.js'
import { countQueued } from '../events/count-queued.js'
import { Deliverer } from '../events/delivery/deliverer.js'
import { Poller } from '../events/delivery/poller.js'
import { openEventMeters } from '../metrics/event-meters.js'

/** Opens security events, and delivers them until the app closes. */
export function openEvents(app: FastifyInstance, config: Config): void {
  const { registry } = app
  const events: Events = {
    registry,
    jwt: app.tokens,
    hub: app.feedHub,
    settings: {
      secrets: {
        secret: config.KEY_ENCRYPTION_SECRET,
        previous: config.KEY_ENCRYPTION_SECRET_PREVIOUS,
      },
      httpHosts: (config.EVENT_HTTP_HOSTS ?? '').split(',').map((host) => host.trim()),
      timeoutMs: config.EVENT_TIMEOUT_MS,
      retryMs: config.EVENT_RETRY_MS,
      maxAgeMs: config.EVENT_MAX_AGE_SECONDS * 1000,
      maxQueued: config.EVENT_QUEUE_LENGTH,
      pollWaitMs: config.EVENT_POLL_WAIT_MS,
    },
    meters: openEventMeters(app.metrics, () => countQueued(registry)),
    onLost: ({ id }) =>
      app.log.warn(
        { receiver: id },
        'security events are lost: the feed was trimmed or went backwards',
      ),
  }
  const poller = new Poller(events)
  // Before the server stops, which waits for polls that wait for events.
  app.addHook('preClose', async () => poller.close())
  const deliverer = new Deliverer(events, (err) =>
    app.log.warn({ err }, 'security events cannot be delivered'),
  )
  app.addHook('onClose', () => deliverer.close())
  app.decorate('events', events)
  app.decorate('eventPoller', poller)
}
