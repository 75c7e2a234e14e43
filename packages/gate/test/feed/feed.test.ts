import { maxIntrospections } from '@portcullis/contracts/introspection'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { AuthHttp } from '../../src/auth/auth-http.js'
import { Credentials } from '../../src/auth/credentials.js'
import { createLookup } from '../../src/auth/lookup.js'
import { Feed } from '../../src/feed/feed.js'
import type { FeedTiming } from '../../src/feed/feed-connection.js'
import { NodeLease } from '../../src/grants/lease.js'
import { Watch } from '../../src/grants/watch.js'
import { newStats } from '../../src/stats.js'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

t.test('a reconnect resumes at its cursor, and repeats its acknowledgements', async (t) => {
  const auth = await scriptedAuth(t)
  const first = auth.next('hello')
  const { log, ws } = await guardedApp(t, {
    authUrl: auth.url,
    node: 'node-1',
    url: 'http://node-1.example',
  })
  const hello = (await first) as Record<string, unknown>
  t.match(hello, { type: 'hello', node: 'node-1', url: 'http://node-1.example' })
  t.notOk('cursor' in hello, 'no cursor yet')
  t.notOk('since' in hello, 'no join time yet')

  const [kept, missed] = [auth.issue(), auth.issue()]
  const one = await dial(`${ws}/echo`, { token: kept })
  const two = await dial(`${ws}/echo`, { token: missed })
  const ack = await auth.push(auth.event({ identity: 'bank' }))

  const again = auth.next('hello')
  const from = log.lines.length
  const repeated = auth.ack(({ cursor }) => cursor === ack.cursor)
  auth.feed?.terminate()
  await log.line('feed is lost', from)
  const meanwhile = await dial(`${ws}/echo`, { token: auth.issue() })
  t.match(await again, { secret: hello['secret'], since: 1_000_000, cursor: ack.cursor })
  t.strictSame(await repeated, ack, 'word for word')
  await log.line('feed is in sync', from)
  t.equal(await one.ask('x'), 'ada: x', 'open sockets stay open')
  await auth.push(auth.event({ jti: auth.of(missed).jti }))
  t.equal((await two.closed).code, 4500, 'later events are applied')
  await auth.push(auth.event({ all: true }))
  t.equal((await meanwhile.closed).code, 4500, 'also to sockets admitted while the feed was away')
})

t.test('introspects every live token again when the feed cannot resume', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log, ws } = await guardedApp(t, { authUrl: auth.url })
  const tokens = Array.from({ length: 3 }, () => auth.issue())
  const peers = await Promise.all(tokens.map((token) => dial(`${ws}/echo`, { token })))
  const [revoked = '', good = '', late = ''] = tokens

  // One token is revoked while the feed is away; the next feed does not send the event.
  auth.active.delete(revoked)
  auth.position = 7
  auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false })
  let answer: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    answer = resolve
  })
  auth.onIntrospect = async (honest) => {
    const results = honest()
    await told
    return results
  }
  const asked = auth.next('introspect')
  const from = log.lines.length
  const acks = auth.acks.length
  auth.feed?.terminate()
  t.strictSame(new Set((await asked) as string[]), new Set(tokens))
  t.match(app.gate.ready(), /introspecting every live token/)
  t.equal((await refused(`${ws}/echo`, { token: good })).status, 503, 'not ready yet')

  // An event meanwhile is applied at once, and acknowledged after the resync.
  const event = auth.event({ jti: auth.of(late).jti })
  const acked = auth.push(event)
  t.equal((await peers[2]?.closed)?.code, 4500)
  t.equal(auth.acks.length, acks, 'no acknowledgement yet')
  answer()
  t.match((await acked).revocations, [{ id: event.id, connectionsClosed: 1 }])
  t.equal((await peers[0]?.closed)?.code, 4500, 'an inactive token ends')
  await log.line('feed is in sync', from)
  t.equal(await peers[1]?.ask('x'), 'ada: x', 'an active token stays')
  t.equal(app.gate.ready(), undefined)
  t.equal(app.gate.stats.resyncs, 1)
})

t.test('a feed lost during a resync starts over and does not resume', async (t) => {
  const auth = await scriptedAuth(t)
  const { log, ws } = await guardedApp(t, { authUrl: auth.url })
  await auth.push(auth.event({ identity: 'bank' }))
  const token = auth.issue()
  const peer = await dial(`${ws}/echo`, { token })
  auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false })
  auth.onIntrospect = (_honest, reply) => reply.code(500).send({})
  const from = log.lines.length
  const asked = auth.next('introspect')
  auth.feed?.terminate()
  await asked
  auth.active.delete(token)
  const hello = auth.next('hello')
  auth.onIntrospect = (honest) => honest()
  auth.feed?.terminate()
  t.notOk('cursor' in ((await hello) as object), 'the skipped events are still unknown')
  t.equal((await peer.closed).code, 4500)
  await log.line('feed is in sync', from)
})

t.test("a resync introspects in batches of the contract's size", async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log } = await guardedApp(t, { authUrl: auth.url })
  const count = 2 * maxIntrospections + 10
  const tokens = Array.from({ length: count }, () => auth.issue())
  const grants = await Promise.all(tokens.map((token) => app.gate.introspect(token)))
  let ended = 0
  for (const grant of grants) {
    app.gate.hold(grant, () => {
      ended++
    })
  }
  auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false })
  for (const token of tokens.slice(5)) {
    auth.active.delete(token)
  }
  auth.batches.length = 0
  const from = log.lines.length
  auth.feed?.terminate()
  await log.line('feed is in sync', from)
  t.equal(ended, count - 5)
  t.equal(app.gate.stats.live, 5)
  t.equal(auth.batches.flat().length, count)
  t.ok(auth.batches.every((batch) => batch.length <= maxIntrospections))
})

t.test('refuses an answer to an introspection from before the feed skipped events', async (t) => {
  const auth = await scriptedAuth(t)
  const { log, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  let answer: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    answer = resolve
  })
  auth.onIntrospect = async (honest) => {
    const results = honest()
    await told
    return results
  }
  const asked = auth.next('introspect')
  const pending = refused(`${ws}/echo`, { token })
  await asked
  auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false })
  const from = log.lines.length
  auth.feed?.terminate()
  await log.line('feed is in sync', from)
  answer()
  const { status, headers } = await pending
  t.equal(status, 503)
  t.match(headers['retry-after'], /^[1-4]$/)
})

t.test('counts a malformed message, does not apply it, and reconnects', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const peer = await dial(`${ws}/echo`, { token })
  const bad = auth.event({ jti: auth.of(token).jti })
  const garbage = [
    'not JSON',
    '[]',
    '{"type":"events"}',
    JSON.stringify({ type: 'events', cursor: 'x', revocations: [bad] }),
    JSON.stringify({ type: 'events', cursor: '9-0', revocations: [{ ...bad, selector: {} }] }),
    JSON.stringify({
      type: 'events',
      cursor: '9-0',
      revocations: [{ ...bad, selector: { jti: auth.of(token).jti, identity: 'shop' } }],
    }),
    JSON.stringify({ type: 'welcome', cursor: '9-0', resumed: true }),
    JSON.stringify({ type: 'shutdown' }),
  ]
  for (const message of garbage) {
    const from = log.lines.length
    auth.send(message)
    await log.line('feed is in sync', from)
  }
  auth.feed?.send(Buffer.from([1, 2, 3]))
  await log.line('feed is in sync', log.lines.length)
  t.equal(app.gate.stats.feedGarbage, garbage.length, 'a binary message is not parsed')
  t.equal(app.gate.stats.feedReconnects, garbage.length + 1)
  t.equal(await peer.ask('x'), 'ada: x')

  auth.onHello = (hello) => ({
    type: 'welcome',
    cursor: '99-0',
    resumed: hello.cursor !== undefined,
  })
  auth.feed?.terminate()
  await log.line('a position not asked for')
  t.equal(app.gate.stats.feedGarbage, garbage.length + 1)
})

t.test('fetches a new token when auth refuses the token of the feed', async (t) => {
  const auth = await scriptedAuth(t)
  const { log } = await guardedApp(t, { authUrl: auth.url })
  for (const refuse of ['close', 'upgrade']) {
    const from = log.lines.length
    const fetched = auth.next('token')
    if (refuse === 'close') {
      auth.feed?.close(4401, 'the token has expired')
    } else {
      let once = true
      auth.onUpgrade = () => {
        const status = once ? 401 : undefined
        once = false
        return status
      }
      auth.feed?.terminate()
    }
    await fetched
    await log.line('feed is in sync', from)
  }
  t.pass()
})

t.test('drops a cursor that auth does not understand', async (t) => {
  const auth = await scriptedAuth(t)
  const { log } = await guardedApp(t, { authUrl: auth.url })
  const from = log.lines.length
  const hello = auth.next('hello')
  auth.feed?.close(4400, 'bad cursor')
  t.notOk('cursor' in ((await hello) as object))
  await log.line('feed is in sync', from)
})

t.test('reports that a later process took its name, and admits nothing', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const peer = await dial(`${ws}/echo`, { token })
  const before = app.gate.stats.feedReconnects
  auth.feed?.close(4409, 'replaced')
  await log.line('a later process uses this node name')
  t.match(app.gate.ready(), /later process/)
  t.match(app.gate.replaced(), /later process/)
  t.equal(app.gate.lease.held, true)
  await t.rejects(
    app.gate.introspect(auth.issue()),
    { code: 'auth_unavailable' },
    'it would receive no revocation',
  )
  t.match(
    await refused(`${ws}/echo`, { token }),
    { status: 503 },
    'it admits nothing, though it holds a lease',
  )
  t.equal(app.gate.stats.feedReconnects, before + 1, 'it reconnects later, not at once')
  peer.socket.terminate()
})

t.test('retries a refused name until auth accepts it', async (t) => {
  for (const code of [4403, 4409]) {
    const auth = await scriptedAuth(t)
    const { feed, watch, stats, lease } = await bareFeed(t, auth, { refusedRetryMs: 5 })
    const welcome = auth.onHello
    let refusals = 0
    auth.onHello = () => {
      refusals += 1
      auth.feed?.close(code, 'not this name')
      return undefined
    }
    const leased = new Promise<void>((resolve) =>
      lease.listen({ regained: resolve, lost: () => {} }),
    )
    await feed.start(60_000)
    while (refusals < 3) {
      await auth.next('hello')
    }
    t.match(feed.problem, code === 4409 ? /later process/ : /another identity/)
    t.equal(feed.replaced === undefined, code === 4403, 'only a later process is a reason to end')
    t.equal(watch.inSync, false)
    auth.onHello = welcome
    await leased
    t.equal(feed.problem, undefined)
    t.equal(feed.replaced, undefined)
    t.ok(stats.feedReconnects >= 3)
  }
})

t.test('allows more time for a try after a failed one', async (t) => {
  const auth = await scriptedAuth(t)
  const { feed, lease } = await bareFeed(t, auth, { welcomeMs: 100 })
  const welcome = auth.onHello
  // Send each welcome after 250 ms, like an auth with a slow Redis.
  auth.onHello = (hello) => {
    const connection = auth.feed
    setTimeout(() => {
      const answer = welcome(hello)
      if (connection === auth.feed && typeof answer === 'object') {
        auth.send({ since: 1, ...answer })
      }
    }, 250)
    return undefined
  }
  const leased = new Promise<void>((resolve) => lease.listen({ regained: resolve, lost: () => {} }))
  await feed.start(60_000)
  await leased
  t.equal(feed.problem, undefined)
})

t.test('reconnects when auth sends no welcome, and when auth is silent', async (t) => {
  const auth = await scriptedAuth(t)
  const { feed, watch, stats, lease } = await bareFeed(t, auth)
  const welcome = auth.onHello
  auth.onHello = () => undefined
  const silent = auth.next('hello')
  const leased = new Promise<void>((resolve) => lease.listen({ regained: resolve, lost: () => {} }))
  const started = feed.start(60_000)
  await silent
  const second = auth.next('hello')
  auth.onHello = welcome
  const acked = auth.ack(() => true)
  await second
  await acked
  await started
  t.equal(stats.feedReconnects, 1, 'without a welcome it reconnects')
  await leased
  t.equal(watch.inSync, true)

  // As when auth's machine is gone: the connection stays open and silent.
  auth.feed?.pause()
  await auth.next('hello')
  t.equal(stats.feedReconnects, 2, 'without a pong it reconnects')
})

/** Returns a feed without an app, with short times. */
async function bareFeed(t: Test, auth: ScriptedAuth, more: Partial<FeedTiming> = {}) {
  const timing: FeedTiming = {
    handshakeMs: 1000,
    welcomeMs: 50,
    pingMs: 50,
    firstRetryMs: 5,
    maxRetryMs: 20,
    refusedRetryMs: 50,
    renewMs: 20,
    goodbyeMs: 50,
    ...more,
  }
  const { log } = Fastify()
  const stats = newStats()
  const lease = new NodeLease()
  const watch = new Watch(log, stats, lease)
  const http = new AuthHttp(new URL(auth.url), 1000)
  const credentials = new Credentials(http, { identity: 'a', registrationCode: 'b' }, log)
  const lookup = createLookup(http, credentials, log)
  const url = new URL(auth.url.replace('http', 'ws'))
  const feed = new Feed({ url, node: 'n', credentials, timing, watch, lease, lookup, stats, log })
  t.teardown(async () => {
    credentials.close()
    await feed.close()
    await http.close()
  })
  return { feed, watch, stats, lease }
}
