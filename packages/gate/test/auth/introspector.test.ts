import { maxIntrospections } from '@portcullis/contracts/introspection'
import Fastify from 'fastify'
import t from 'tap'
import { Introspector } from '../../src/auth/introspector.js'
import { Watch } from '../../src/grants/watch.js'
import { maxTimerMs } from '../../src/max-timer.js'
import { newStats } from '../../src/stats.js'
import { refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

t.test('sends tokens of one turn in one request, each token once', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  const tokens = Array.from({ length: 10 }, (_, at) => auth.issue({ sub: `user-${at}` }))
  const grants = await Promise.all(
    [...tokens, ...tokens].map((token) => app.gate.introspect(token)),
  )
  t.equal(auth.batches.length, 1)
  t.strictSame(auth.batches[0], tokens)
  for (const [at, grant] of grants.entries()) {
    t.equal(grant.subject, `user-${at % 10}`, 'each caller gets the answer for its token')
  }
  t.not(grants[0], grants[10], 'each caller gets its own grant')
  t.match(app.gate.stats, { batches: 1, introspected: 10, largestBatch: 10, live: 20 })
})

t.test('collects tokens for the next batch while four batches are in flight', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  let answer: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    answer = resolve
  })
  auth.onIntrospect = async (honest) => {
    await told
    return honest()
  }
  const grants: Promise<unknown>[] = []
  for (let batch = 0; batch < 4; batch++) {
    const asked = auth.next('introspect')
    grants.push(app.gate.introspect(auth.issue()))
    await asked
  }
  for (let more = 0; more < maxIntrospections + 20; more++) {
    grants.push(app.gate.introspect(auth.issue()))
  }
  const bad = app.gate.introspect('unknown')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(auth.batches.length, 4)
  answer()
  await Promise.all(grants)
  await t.rejects(bad, { code: 'invalid_token' })
  t.strictSame(
    auth.batches.map((batch) => batch.length),
    [1, 1, 1, 1, maxIntrospections, 21],
  )
})

t.test('has one batch in flight while auth answers quickly, unless the next is full', async (t) => {
  const stats = newStats()
  const watch = new Watch(Fastify().log, stats, { held: true, leftMs: 60_000 })
  watch.synced()
  const sent: { size: number; answer: () => void }[] = []
  const introspector = new Introspector({
    lookup: (tokens) =>
      new Promise((resolve) => {
        sent.push({ size: tokens.length, answer: () => resolve(tokens.map(() => undefined)) })
      }),
    watch,
    stats,
    timeoutMs: 60_000,
    // No answer in this test is slow.
    collectMs: maxTimerMs,
  })
  const refused: Promise<unknown>[] = []
  const ask = async (count: number) => {
    for (let asked = 0; asked < count; asked++) {
      const token = `token-${refused.length}`
      refused.push(t.rejects(introspector.introspect(token), { code: 'invalid_token' }))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  const sizes = () => sent.map(({ size }) => size)
  await ask(1)
  await ask(2)
  await ask(3)
  t.strictSame(sizes(), [1], 'later tokens wait')
  sent[0]?.answer()
  await Promise.all(refused.slice(0, 1))
  await ask(0)
  t.strictSame(sizes(), [1, 5], 'all of them go with the next batch')
  await ask(maxIntrospections - 1)
  t.strictSame(sizes(), [1, 5])
  await ask(1)
  t.strictSame(sizes(), [1, 5, maxIntrospections], 'a full batch does not wait')
  for (const { answer } of sent) {
    answer()
  }
  await Promise.all(refused)
})

t.test('rejects answers that violate the contract', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const good = auth.of(token)
  const answers: Record<string, unknown> = {
    'no results': {},
    'a result too few': { results: [] },
    'a result too many': { results: [good, good] },
    'not a list': { results: good },
    'active as text': { results: [{ ...good, active: 'true' }] },
    'active without its claims': { results: [{ active: true }] },
    'inactive, with a claim': { results: [{ active: false, jti: good.jti }] },
    'a time as text': { results: [{ ...good, exp: '9999999999' }] },
    'no time left': { results: [{ ...good, expires_in_ms: 0 }] },
    'no time until the expiry': { results: [{ ...good, expires_in_ms: undefined }] },
    'no cut-off time': { results: [{ ...good, issued_us: undefined }] },
    null: null,
    'a list': [good],
  }
  for (const [name, body] of Object.entries(answers)) {
    auth.onIntrospect = (_honest, reply) =>
      reply.type('application/json').send(JSON.stringify(body))
    const { status, headers } = await refused(`${ws}/echo`, { token })
    t.equal(status, 503, name)
    t.match(headers['retry-after'], /^[1-4]$/, name)
  }
  for (const status of [201, 204, 302, 400, 403, 404, 429, 500, 503]) {
    auth.onIntrospect = (honest, reply) => reply.code(status).send(status === 204 ? null : honest())
    t.equal((await refused(`${ws}/echo`, { token })).status, 503, `status ${status}`)
  }
  auth.onIntrospect = (_honest, reply) => reply.type('application/json').send('{"results":')
  t.equal((await refused(`${ws}/echo`, { token })).status, 503, 'cut JSON')
  auth.onIntrospect = (_honest, reply) => {
    reply.hijack()
    reply.raw.destroy()
  }
  t.equal((await refused(`${ws}/echo`, { token })).status, 503, 'a cut connection')
  t.equal(app.gate.stats.live, 0)
  auth.onIntrospect = (honest) => honest()
  await app.gate.introspect(token)
  t.pass('a valid answer admits again')
})

t.test('answers every waiting caller in time when auth trickles', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url, timeoutMs: 150 })
  auth.onIntrospect = (_honest, reply) => {
    reply.hijack()
    // Sends the head, and then a byte now and then.
    reply.raw.write('{')
    const trickle = setInterval(() => reply.raw.write(' '), 20)
    reply.raw.on('close', () => clearInterval(trickle))
  }
  const waiting: Promise<unknown>[] = []
  for (let batch = 0; batch < 6; batch++) {
    const asked = batch < 4 ? auth.next('introspect') : undefined
    const introspection = app.gate.introspect(`token-${batch}`)
    // On a slow machine it may be rejected before `allSettled` below.
    introspection.catch(() => undefined)
    waiting.push(introspection)
    await asked
  }
  const results = await Promise.allSettled(waiting)
  for (const result of results) {
    t.match(result, { status: 'rejected', reason: { code: 'auth_unavailable' } })
  }
})

t.test('closing the app rejects every waiting caller', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  auth.onIntrospect = (_honest, reply) => {
    reply.hijack()
  }
  const asked = auth.next('introspect')
  const waiting = app.gate.introspect('token')
  await asked
  const closed = app.close()
  await t.rejects(waiting, { code: 'auth_unavailable' })
  await closed
})
