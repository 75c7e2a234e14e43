import { once } from 'node:events'
import t from 'tap'
import { NodeLease } from '../../src/grants/lease.js'
import { bootStepMs } from '../../src/grants/suspend-detector.js'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

/** Auth answers no renewal any more, until this is called again with a time. */
function leases(auth: ScriptedAuth, ms: number | undefined): void {
  auth.leaseMs = ms
}

t.test('without a lease nothing is admitted', async (t) => {
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

t.test('a lease that runs out closes with 4000, and comes back', async (t) => {
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

t.test('a lease is renewed before it is over, and counts from the sending', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 600)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  const before = performance.now()
  await auth.next('renew')
  await auth.next('renew')
  t.equal(app.gate.stats.leasesLost, 0)
  t.ok(app.gate.lease.leftMs <= 600)
  t.ok(performance.now() - before < 600, 'two within one lease')

  // The answer comes late: what it grants has begun long before.
  leases(auth, undefined)
  const { renewal } = (await auth.next('renew')) as { renewal: number }
  const sent = performance.now()
  await auth.next('renew')
  auth.send({ type: 'lease', renewal, ttlMs: 10_000 })
  auth.feed?.ping()
  await once(auth.feed ?? auth, 'pong')
  t.ok(app.gate.lease.leftMs > 5000, 'it counts')
  t.ok(
    app.gate.lease.leftMs <= 10_000 - (performance.now() - sent) + 1,
    'from when it was asked for',
  )
})

t.test('an auth that renews no lease is left for another', async (t) => {
  const auth = await scriptedAuth(t)
  leases(auth, 300)
  const { log } = await guardedApp(t, { authUrl: auth.url })
  await auth.next('renew')
  leases(auth, undefined)
  const again = auth.next('hello')
  await log.line('auth does not renew the lease')
  await again
})

t.test('a process that was stopped lets nothing through before it has looked', async (t) => {
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
  // The event loop stands still past the lease, as under SIGSTOP; a message waits in the socket.
  const closed = once(peer.socket, 'close')
  const until = performance.now() + app.gate.lease.leftMs + 100
  while (performance.now() < until) {}
  app.server.emit('say')
  await closed
  t.same(heard, [], 'nothing out, though no timer had its turn')
  t.same(received, [])
})

t.test('a response is held back too', async (t) => {
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

/** A machine whose clocks stand still until the test moves them; and a lease on it, with what it tells. */
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

t.test('a lease that ran out before any timer said so is lost, then held again', async (t) => {
  const { lease, told, now, run } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 1000)
  run(1001)
  lease.granted(now(), 1000)
  t.same(told, ['regained', 'lost', 'regained'], 'what waited for the loss has heard of it')
})

t.test('a suspend ends the lease at the first step afterwards', async (t) => {
  const { lease, told, now, run, suspend } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  run(3)
  const sent = now()
  t.equal(lease.held, true)
  suspend(25)
  t.equal(lease.held, false)
  t.same(told, ['regained'], 'whoever asks may be in the middle of a write')
  await new Promise(setImmediate)
  t.same(told, ['regained', 'lost'])
  t.equal(lease.leftMs, 0)
  lease.granted(sent, 10_000)
  t.equal(lease.held, false, 'an answer to a renewal from before the suspend')
  run(1)
  lease.granted(now(), 10_000)
  t.equal(lease.held, true)
})

t.test('nothing is left of a lease at the first step after a suspend', async (t) => {
  const { lease, now, run, suspend } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  run(3)
  t.equal(lease.leftMs, 9997)
  suspend(25)
  t.equal(lease.leftMs, 0, 'an effect asks for nothing else')
})

t.test('a grant is worth nothing when the machine was suspended on its way', async (t) => {
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

t.test('a suspend that the wall clock hides is noticed soon', async (t) => {
  const { lease, now, suspend, setWallClock } = machine()
  t.teardown(() => lease.close())
  lease.granted(now(), 10_000)
  const lost = new Promise<void>((resolve) => {
    lease.listen({ lost: resolve, regained: () => undefined })
  })
  suspend(8000)
  setWallClock(-8000)
  // The lease keeps no process alive.
  const alive = setInterval(() => undefined, 1000)
  await lost
  clearInterval(alive)
  t.equal(lease.held, false)
})

t.test('clocks that are set, and a machine that is busy, end no lease', async (t) => {
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

t.test('this machine is not suspended', async (t) => {
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
