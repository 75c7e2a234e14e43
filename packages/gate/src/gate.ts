import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { AuthHttp } from './auth/auth-http.js'
import { Credentials } from './auth/credentials.js'
import { createLookup } from './auth/lookup.js'
import type { Gate } from './decorators.js'
import { createDial } from './feed/dial.js'
import type { FeedTiming } from './feed/feed-connection.js'
import { checkOptions, type GateOptions } from './options.js'
import { wireGate } from './wire.js'

/** How long the app's start waits for the feed, in milliseconds. Without the feed the app answers 503. */
const startMs = 3000

const timing: Omit<FeedTiming, 'handshakeMs' | 'welcomeMs'> = {
  pingMs: 5000,
  firstRetryMs: 100,
  maxRetryMs: 5000,
  refusedRetryMs: 15_000,
  // For a renewal auth makes up to two round trips to Redis, each of up to two seconds.
  renewMs: 2500,
  goodbyeMs: 1000,
}

/**
 * Guards a Fastify app: `app.admit()` returns the preValidation hook for its routes, `app.gate` has the
 * rest. Closes the app's WebSockets when their token is revoked (4500) or expires (3005), and when the
 * lease ran out, so this node may have missed a revocation (4000).
 *
 * @throws GateError `bad_options`
 */
export const gate = plugin(
  async (app: FastifyInstance, given: GateOptions) => {
    const options = checkOptions(given)
    const { log } = app
    const { timeoutMs, holdCallersMs } = options
    const http = new AuthHttp(options.authUrl, timeoutMs, options.tls)
    const credentials = new Credentials(http, options.credentials, log)
    const { gate, door, feed, close } = wireGate({
      node: options.node,
      nodeUrl: options.url,
      feedUrl: options.feedUrl,
      tokenInQuery: options.tokenInQuery,
      timeoutMs,
      holdCallersMs,
      timing: { ...timing, handshakeMs: timeoutMs, welcomeMs: timeoutMs },
      log,
      credentials,
      lookup: createLookup(http, credentials, log),
      timings: given.timings,
      dial: createDial(options.tls),
    })

    app.decorate('admit', door.admit)
    app.decorate<Gate>('gate', gate)
    app.decorateRequest('grant', {
      getter() {
        return door.grantOf(this)
      },
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      done(null, door.answer(request, reply, payload))
    })
    app.addHook('onReady', async () => {
      // Here, since @fastify/websocket may be registered after this plugin.
      door.guard(app)
      await feed.start(startMs)
    })
    app.addHook('preClose', async () => door.goAway())
    app.addHook('onClose', async () => {
      await close()
      credentials.close()
      await http.close()
    })
  },
  { name: '@portcullis/gate', fastify: '5.x' },
)
