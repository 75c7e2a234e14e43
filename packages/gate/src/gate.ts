import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { Door } from './admission/door.js'
import { AuthHttp } from './auth/auth-http.js'
import { Credentials } from './auth/credentials.js'
import { Introspector } from './auth/introspector.js'
import { lookupWith } from './auth/lookup.js'
import type { Gate } from './decorators.js'
import { GateError } from './errors.js'
import { Feed } from './feed/feed.js'
import { dialWith, type FeedTiming } from './feed/feed-connection.js'
import { type Grant, LiveGrant } from './grants/grant.js'
import { NodeLease } from './grants/lease.js'
import { Watch } from './grants/watch.js'
import { checkOptions, type GateOptions } from './options.js'
import { newStats } from './stats.js'

/** How long the app's start waits for the feed, in milliseconds; without it, it answers 503. */
const startMs = 3000

const timing: Omit<FeedTiming, 'handshakeMs' | 'welcomeMs'> = {
  pingMs: 5000,
  firstRetryMs: 100,
  mostRetryMs: 5000,
  refusedRetryMs: 15_000,
  // A renewal takes auth two round trips to Redis at most, each of up to two seconds.
  renewMs: 2500,
  goodbyeMs: 1000,
}

/**
 * Guards a Fastify app: `app.admit()` is the preValidation hook of its routes, `app.gate` the rest.
 * Closes the app's WebSockets when their token is revoked (4500) or expires (3005), and when this node
 * has not reached auth for so long that it may have missed a revocation (4000).
 *
 * @throws GateError `bad_options`
 */
export const gate = plugin(
  async (app: FastifyInstance, given: GateOptions) => {
    const options = checkOptions(given)
    const { log } = app
    const stats = newStats()
    const lease = new NodeLease()
    const watch = new Watch(log, stats, lease)
    const http = new AuthHttp(options.authUrl, options.timeoutMs, options.tls)
    const credentials = new Credentials(http, options.credentials, log)
    const lookup = lookupWith(http, credentials, log)
    const introspector = new Introspector({ lookup, watch, stats, timeoutMs: options.timeoutMs })
    const door = new Door({ introspector, watch, lease, stats, tokenInQuery: options.tokenInQuery })
    const feed = new Feed({
      url: options.feedUrl,
      node: options.node,
      nodeUrl: options.url,
      credentials,
      timing: { ...timing, handshakeMs: options.timeoutMs, welcomeMs: options.timeoutMs },
      watch,
      lease,
      lookup,
      stats,
      log,
      dial: dialWith(options.tls),
    })

    app.decorate('admit', door.admit)
    app.decorate<Gate>('gate', {
      introspect: (token) => introspector.introspect(token),
      hold: (grant, onEnd) => {
        const release = watch.hold(liveGrant(grant), onEnd)
        door.handOver(grant)
        return release
      },
      effect: (grant, work, isOver = () => false) => watch.effect(liveGrant(grant), work, isOver),
      admitted: (request) => door.hasGrant(request),
      ready: () => feed.replaced ?? credentials.problem ?? feed.problem,
      replaced: () => feed.replaced,
      lease,
      stats,
    })
    app.decorateRequest('grant', {
      getter() {
        return door.grantOf(this)
      },
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      done(null, door.answer(request, reply, payload))
    })
    app.addHook('onReady', async () => {
      // Whether its plugin was registered before this one or after.
      door.guard(app)
      await feed.start(startMs)
    })
    app.addHook('preClose', async () => door.leave())
    app.addHook('onClose', async () => {
      await door.empty(timing.goodbyeMs)
      await feed.close()
      introspector.close()
      watch.close()
      lease.close()
      credentials.close()
      await http.close()
    })
  },
  { name: '@portcullis/gate', fastify: '5.x' },
)

function liveGrant(grant: Grant): LiveGrant {
  if (grant instanceof LiveGrant) {
    return grant
  }
  throw new GateError('invalid_token', 'not a grant')
}
