// An admitted command has no effect after its token has ended.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import { Watch } from '../../src/grants/watch.js'
import { newStats } from '../../src/stats.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

/** A store whose writes the test answers, and a route that writes to it. */
class Store {
  readonly written: unknown[] = []
  readonly deadlines: number[] = []
  answer: (error?: Error) => void = () => undefined
  #reached: () => void = () => undefined

  /** Resolves when the next write has been sent. */
  reached(): Promise<void> {
    return new Promise((resolve) => {
      this.#reached = resolve
    })
  }

  write(value: unknown, until: number): Promise<void> {
    this.written.push(value)
    this.deadlines.push(until)
    return new Promise((resolve, reject) => {
      this.answer = (error) => (error === undefined ? resolve() : reject(error))
      this.#reached()
    })
  }

  readonly routes = (app: FastifyInstance): void => {
    app.post('/write', { onRequest: app.admit() }, async ({ grant, body }) => {
      await app.gate.effect(grant, (until) => this.write(body, until))
      return {}
    })
  }
}

/** Sends a request without the last byte of its body, and waits until the gate has admitted it. */
async function sendSlowly(
  app: FastifyInstance,
  http: string,
  token: string,
): Promise<{ outcome: Promise<number | undefined>; finish: () => void }> {
  const body = JSON.stringify({ late: true })
  const sent = httpRequest(`${http}/write`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': body.length,
    },
  })
  const outcome = new Promise<number | undefined>((resolve) => {
    sent.once('response', ({ statusCode }) => resolve(statusCode))
    sent.once('error', () => resolve(undefined))
  })
  sent.write(body.slice(0, -1))
  while (app.gate.stats.live === 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { outcome, finish: () => sent.end(body.slice(-1)) }
}

async function scene(
  t: Parameters<typeof scriptedAuth>[0],
  leaseMs?: number,
): Promise<{
  auth: ScriptedAuth
  store: Store
  app: FastifyInstance
  http: string
}> {
  const auth = await scriptedAuth(t)
  if (leaseMs !== undefined) {
    auth.leaseMs = leaseMs
  }
  const store = new Store()
  const { app, http } = await guardedApp(t, { authUrl: auth.url, routes: store.routes })
  return { auth, store, app, http }
}

t.test('a revocation cuts a request whose body is incomplete', async (t) => {
  const { auth, store, app, http } = await scene(t)
  const token = auth.issue()
  const { outcome, finish } = await sendSlowly(app, http, token)
  const ack = await auth.push(auth.event({ jti: auth.of(token).jti }))
  t.equal(ack.revocations[0]?.connectionsClosed, 0, 'a request does not count as a connection')
  finish()
  t.equal(await outcome, undefined, 'the connection is cut')
  t.strictSame(store.written, [])
})

t.test('the loss of the lease cuts a request whose body is incomplete', async (t) => {
  const { auth, store, app, http } = await scene(t, 500)
  const { outcome, finish } = await sendSlowly(app, http, auth.issue())
  auth.leaseMs = undefined
  t.equal(await outcome, undefined)
  finish()
  t.strictSame(store.written, [])
})

t.test('acknowledges a revocation after the effects that it covers', async (t) => {
  const { auth, store, http } = await scene(t)
  const token = auth.issue()
  const other = auth.issue()
  const reached = store.reached()
  const answer = fetch(`${http}/write`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  await reached
  t.equal((await auth.push(auth.event({ jti: auth.of(other).jti }))).revocations.length, 1)
  const before = auth.acks.length
  const acked = auth.push(auth.event({ jti: auth.of(token).jti }))
  // A later event waits too: an acknowledgement covers every event up to its cursor.
  const later = auth.push(auth.event({ identity: 'bank' }))
  // The answer to this inquiry proves that the node has read both events.
  auth.send({ type: 'inquire', id: 'x'.repeat(22), selector: { all: true }, limit: 1 })
  await once(auth, 'connections')
  t.equal(auth.acks.length, before, 'nothing is acknowledged while the effect is under way')
  store.answer()
  await Promise.all([acked, later])
  t.equal((await answer).status, 401, 'the caller learns that its token has ended')
})

/** Returns a held grant with its watch and its lease. */
async function heldGrant(t: Parameters<typeof scriptedAuth>[0]) {
  const auth = await scriptedAuth(t)
  const lease = { held: true, leftMs: 1000 }
  const watch = new Watch(Fastify().log, newStats(), lease)
  t.teardown(() => watch.close())
  watch.synced()
  const mark = watch.begin()
  const token = auth.issue()
  const grant = watch.register(auth.of(token), token, mark)
  watch.finish(mark)
  const release = watch.hold(grant, () => undefined)
  const revoke = (): void => {
    watch.apply([auth.event({ jti: grant.jti })])
  }
  return { lease, watch, grant, release, revoke }
}

const isOver = (): boolean => false
const untouched = (): Promise<never> => Promise.reject(new Error('the work was done'))

t.test('an effect requires a live grant and a held lease', async (t) => {
  const { lease, watch, grant, release, revoke } = await heldGrant(t)
  lease.leftMs = 0
  await t.rejects(watch.effect(grant, untouched, isOver), { code: 'auth_unavailable' })
  lease.leftMs = 1000
  t.equal(await watch.effect(grant, async () => 'done', isOver), 'done')
  revoke()
  await t.rejects(watch.effect(grant, untouched, isOver), { code: 'invalid_token' })
  release()
})

t.test('a released grant has no effect, since its revocation would not find it', async (t) => {
  const { watch, grant, release } = await heldGrant(t)
  release()
  await t.rejects(watch.effect(grant, untouched, isOver), { code: 'invalid_token' })
})

t.test('waits for the effect of a grant that was released meanwhile', async (t) => {
  const { watch, grant, release, revoke } = await heldGrant(t)
  let answer = (): void => undefined
  const work = watch.effect(grant, () => new Promise<void>((resolve) => (answer = resolve)), isOver)
  release()
  t.equal(watch.effectsOver(), undefined, 'not for a token that is not revoked')
  revoke()
  const over = watch.effectsOver()
  t.ok(over, 'for a revoked token')
  answer()
  await Promise.all([work, over])
  t.equal(watch.effectsOver(), undefined)
})

t.test('an effect whose answer is lost is under way until its deadline', async (t) => {
  const { lease, watch, grant, revoke } = await heldGrant(t)
  lease.leftMs = 30
  let deadline = 0
  const lost = (until: number): Promise<never> => {
    deadline = until
    return Promise.reject(new Error('connection lost'))
  }
  await t.rejects(watch.effect(grant, lost, isOver))
  await t.rejects(watch.effect(grant, untouched, () => true))
  t.ok(watch.hasEffects)
  revoke()
  await watch.effectsOver()
  t.ok(performance.now() >= deadline - 1, 'not before')
  t.notOk(watch.hasEffects, 'the effect with the conclusive error was over at once')
})

t.test('the deadline of an effect is within the lease', async (t) => {
  const { auth, store, http } = await scene(t, 1000)
  const reached = store.reached()
  const headers = { authorization: `Bearer ${auth.issue()}` }
  const answer = fetch(`${http}/write`, { method: 'POST', headers })
  await reached
  const [until = Number.NaN] = store.deadlines
  t.ok(until <= performance.now() + 1000)
  store.answer()
  t.equal((await answer).status, 200)
})
