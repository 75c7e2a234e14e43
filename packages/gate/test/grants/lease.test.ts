import { once } from 'node:events'
import t from 'tap'
import { NodeLease } from '../../src/grants/lease.js'
import { bootStepMs } from '../../src/grants/suspend-detector.js'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

/** Sets the length of the leases that auth grants; undefined: auth answers no renewal. */
function leases(auth: ScriptedAuth, ms: number | undefined): void {
  auth.leaseMs = ms
}

t.test('admits nothing without a lease', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, undefined)
  const asked = auth.next('renew')
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  await asked
  t.type(app.gate.ready(), 'string')
  t.equal(app.gate.lease.held, false)
  t.equal(app.gate.lease.leftMs, 0)
  t.equal((await refused(`${ws}/echo`, { token: auth.issue() })).status, 503)
  leases(auth, 60_000)
  await new Promise<void>((resolve) =>
    app.gate.lease.listen({ regained: resolve, lost: () => undefined }),
  )
  t.equal(app.gate.ready(), undefined)
  const peer = await dial(`${ws}/echo`, { token: auth.issue() })
  t.equal(await peer.ask('x'), 'ada: x')
})

t.test('closes sockets with 4000 when the lease runs out, and recovers', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 300)
  const { app, log, ws } = await guardedApp(t, { authUrl: auth.url })
  const peer = await dial(`${ws}/echo`, { token: auth.issue() })
  t.equal(await peer.ask('x'), 'ada: x')
  leases(auth, undefined)
  t.same(await peer.closed, { code: 4000, reason: 'lease lost' })
  await log.line('the lease is out')
  t.equal(app.gate.stats.leasesLost, 1)
  t.equal(app.gate.lease.held, false)
  t.equal((await refused(`${ws}/echo`, { token: auth.issue() })).status, 503)
  const from = log.lines.length
  leases(auth, 60_000)
  await log.line('the lease is held', from)
  await dial(`${ws}/echo`, { token: auth.issue() })
})

t.test('renews the lease before it runs out, and counts it from the send', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 600)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  const before = performance.now()
  await auth.next('renew')
  await auth.next('renew')
  t.equal(app.gate.stats.leasesLost, 0)
  t.ok(app.gate.lease.leftMs <= 600)
  t.ok(performance.now() - before < 600, 'two renewals within one lease')

  // The answer is late: the granted lease began long before.
  leases(auth, undefined)
  const { renewal } = (await auth.next('renew')) as { renewal: number }
  const sent = performance.now()
  await auth.next('renew')
  auth.send({ type: 'lease', renewal, ttlMs: 10_000 })
  auth.feed?.ping()
  await once(auth.feed ?? auth, 'pong')
  t.ok(app.gate.lease.leftMs > 5000, 'the answer counts')
  t.ok(app.gate.lease.leftMs <= 10_000 - (performance.now() - sent) + 1, 'from the send')
})

t.test('reconnects when auth does not renew the lease', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 300)
  const { log } = await guardedApp(t, { authUrl: auth.url })
  await auth.next('renew')
  leases(auth, undefined)
  const again = auth.next('hello')
  await log.line('auth does not renew the lease')
  await again
})

t.test('a process that was stopped past its lease passes no message', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 500)
  const received: string[] = []
  const { app, ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/take', { websocket: true, preValidation: app.admit() }, (socket) => {
        socket.on('message', (data) => received.push(String(data)))
        app.server.on('say', () => socket.send('out'))
      })
    },
  })
  const peer = await dial(`${ws}/take`, { token: auth.issue() })
  const heard: string[] = []
  peer.socket.on('message', (data) => heard.push(String(data)))
  // Block the event loop past the lease, as SIGSTOP does.
  const closed = once(peer.socket, 'close')
  const until = performance.now() + app.gate.lease.leftMs + 100
  while (performance.now() < until) {}
  app.server.emit('say')
  await closed
  t.same(heard, [], 'no message out, though no timer has fired')
  t.same(received, [])
})

t.test('replaces a response by 503 when the lease is lost', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 300)
  const { http, app } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/slow', { preValidation: app.admit() }, async () => {
        leases(auth, undefined)
        await new Promise<void>((resolve) =>
          app.gate.lease.listen({ lost: resolve, regained: () => undefined }),
        )
        return 'secret'
      })
    },
  })
  const answer = await fetch(`${http}/slow`, {
    headers: { authorization: `Bearer ${auth.issue()}` },
  })
  t.equal(answer.status, 503)
  t.match(answer.headers.get('retry-after'), /^[1-5]$/)
  t.match(await answer.json(), { code: 'auth_unavailable' })
  t.equal(app.gate.lease.held, false)
})

/** Returns clocks that the test moves, a lease on these clocks, and what the lease reports. */
function machine() {
  let monotonic = 5000
  let slept = 0
  let stepped = 0
  const lease = new NodeLease({
    monotonic: () => monotonic,
    wall: () => Math.floor(1e12 + monotonic + slept + stepped),
    boot: () => Math.floor((monotonic + slept) / bootStepMs) * bootStepMs,
  })
  const told: string[] = []
  lease.listen({ lost: () => told.push('lost'), regained: () => told.push('regained') })
  return {
    lease,
    told,
    now: () => monotonic,
    run: (ms: number) => {
      monotonic += ms
    },
    suspend: (ms: number) => {
      slept += ms
    },
    setWallClock: (ms: number) => {
      stepped += ms
    },
  }
}

t.test('a renewal reports a lease that ran out before any timer did', async (t) => {
  const { lease, told, now, run } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 1000)
  run(1001)
  lease.granted(now(), 1000)
  t.same(told, ['regained', 'lost', 'regained'])
})

t.test('a suspend ends the lease at the first check afterwards', async (t) => {
  const { lease, told, now, run, suspend } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  run(3)
  const sent = now()
  t.equal(lease.held, true)
  suspend(25)
  t.equal(lease.held, false)
  t.same(told, ['regained'], 'not reported in the middle of a write')
  await new Promise(setImmediate)
  t.same(told, ['regained', 'lost'])
  t.equal(lease.leftMs, 0)
  lease.granted(sent, 10_000)
  t.equal(lease.held, false, 'a renewal from before the suspend does not count')
  run(1)
  lease.granted(now(), 10_000)
  t.equal(lease.held, true)
})

t.test('leftMs is 0 at the first check after a suspend', async (t) => {
  const { lease, now, run, suspend } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  run(3)
  t.equal(lease.leftMs, 9997)
  suspend(25)
  t.equal(lease.leftMs, 0, 'an effect checks only leftMs')
})

t.test('ignores a renewal if the machine was suspended before its answer', async (t) => {
  const { lease, told, now, run, suspend } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  const sent = now()
  run(2)
  suspend(8000)
  lease.granted(sent, 10_000)
  t.equal(lease.held, false)
  t.same(told, ['regained', 'lost'])
})

t.test('detects a suspend that the wall clock hides', async (t) => {
  const { lease, now, suspend, setWallClock } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  const lost = new Promise<void>((resolve) => {
    lease.listen({ lost: resolve, regained: () => undefined })
  })
  suspend(8000)
  setWallClock(-8000)
  // The lease's timers do not keep the process alive.
  const alive = setInterval(() => undefined, 1000)
  await lost
  clearInterval(alive)
  t.equal(lease.held, false)
})

t.test('a clock that is set, or a busy machine, does not end the lease', async (t) => {
  const { lease, told, now, run, setWallClock } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 1e9)
  for (let step = 0; step < 2000; step += 1) {
    run((step * 7.3) % 61)
    if (step % 3 === 0) {
      setWallClock(((step * 977) % 4000) - 2000)
    }
    if (!lease.held) {
      t.fail(`lost in step ${step}`)
    }
    lease.granted(now(), 1e9)
  }
  t.same(told, ['regained'])
})

t.test('detects no suspend on this machine', async (t) => {
  const lease = new NodeLease()
  t.teardown(() => lease.close())
  lease.granted(performance.now(), 60_000)
  const until = performance.now() + 300
  while (performance.now() < until) {
    if (!lease.held) {
      t.fail('lost')
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(lease.held, true)
})
