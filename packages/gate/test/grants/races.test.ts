// Forces every order of a revocation and an admission (bisq2#4961).
import type { FastifyReply } from 'fastify'
import t from 'tap'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

/** Makes auth compute its answer at once, and send it when the returned function is called. */
function holdAnswers(auth: ScriptedAuth): () => void {
  let send: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    send = resolve
  })
  auth.onIntrospect = async (honest: () => object, _reply: FastifyReply) => {
    const answer = honest()
    await told
    return answer
  }
  return () => send()
}

t.test('refuses a token revoked between the introspection and its answer', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  const selectors = {
    jti: (token: string) => ({ jti: auth.of(token).jti }),
    identity: () => ({ identity: 'shop' }),
    subject: () => ({ identity: 'shop', subject: 'ada' }),
    label: () => ({ identity: 'shop', label: 'red' }),
    all: () => ({ all: true }) as const,
  }
  for (const [name, selector] of Object.entries(selectors)) {
    const token = auth.issue({ labels: ['red'] })
    const send = holdAnswers(auth)
    const asked = auth.next('introspect')
    const answer = refused(`${ws}/echo`, { token })
    await asked
    await auth.push(auth.event(selector(token)))
    send()
    t.equal((await answer).status, 401, name)
  }
  t.equal(app.gate.stats.live, 0)
})

t.test('admits a token that the revocations before the answer do not cover', async (t) => {
  const auth = await scriptedAuth(t)
  const { ws } = await guardedApp(t, { authUrl: auth.url })
  const other = auth.issue()
  const earlier = auth.event({ identity: 'shop' })
  const token = auth.issue()
  const send = holdAnswers(auth)
  const asked = auth.next('introspect')
  const peer = dial(`${ws}/echo`, { token })
  await asked
  await auth.push(
    earlier,
    auth.event({ identity: 'bank' }),
    auth.event({ jti: auth.of(other).jti }),
  )
  send()
  t.equal(await (await peer).ask('x'), 'ada: x', 'issued after the cut-off, or another identity')
})

t.test('checks every caller that shares an introspection in flight', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const send = holdAnswers(auth)
  const asked = auth.next('introspect')
  const first = refused(`${ws}/echo`, { token })
  await asked
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  const second = app.gate.introspect(token)
  send()
  await t.rejects(second, { code: 'invalid_token' }, 'shares the answer and its check')
  t.equal((await first).status, 401)
})

t.test('closes a socket whose token was revoked between the answer and the upgrade', async (t) => {
  const auth = await scriptedAuth(t)
  let passed: () => void = () => undefined
  let proceed: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    passed = resolve
  })
  const told = new Promise<void>((resolve) => {
    proceed = resolve
  })
  const heard: string[] = []
  const { app, ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get(
        '/slow',
        {
          websocket: true,
          preValidation: [
            app.admit(),
            async () => {
              passed()
              await told
            },
          ],
        },
        (socket) => {
          socket.on('message', (data) => heard.push(String(data)))
          socket.send('a byte too many')
        },
      )
    },
  })
  const token = auth.issue()
  const dialled = dial(`${ws}/slow`, { token })
  await reached
  const ack = await auth.push(auth.event({ jti: auth.of(token).jti }))
  t.equal(ack.revocations[0]?.connectionsClosed, 1)
  proceed()
  const peer = await dialled
  peer.socket.on('message', (data) => heard.push(String(data)))
  peer.socket.send('heard?')
  t.strictSame(await peer.closed, { code: 4500, reason: 'token revoked' })
  t.strictSame(heard, [], 'no message in or out')
  t.equal(app.gate.stats.live, 0)
})

t.test('handles no message after the acknowledgement, while the peer keeps sending', async (t) => {
  const auth = await scriptedAuth(t)
  const heard: string[] = []
  const { app, ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/hear', { websocket: true, preValidation: app.admit() }, (socket, { grant }) => {
        socket.on('message', (data) => {
          heard.push(`${data} ${grant.ended ?? 'live'}`)
          socket.send('more')
        })
      })
    },
  })
  const token = auth.issue()
  const peer = await dial(`${ws}/hear`, { token })
  const acked = auth.push(auth.event({ jti: auth.of(token).jti }))
  // The peer sends until it is closed.
  const flood = (): void => {
    if (peer.socket.readyState !== peer.socket.OPEN) {
      return
    }
    peer.socket.send('x')
    setImmediate(flood)
  }
  flood()
  const ack = await acked
  const before = heard.length
  t.equal(ack.revocations[0]?.connectionsClosed, 1)
  t.equal((await peer.closed).code, 4500)
  t.equal(heard.length, before, 'no message after the acknowledgement')
  t.notOk(
    heard.some((line) => line.endsWith('revoked')),
    'no message on an ended grant',
  )
  t.equal((await refused(`${ws}/hear`, { token: `${token}x` })).status, 401)
  t.equal(app.gate.stats.live, 0)
})

t.test('admits a token although an event arrived before its introspection', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  await auth.push(auth.event({ identity: 'bank' }))
  const peer = await dial(`${ws}/echo`, { token: auth.issue() })
  t.equal(await peer.ask('x'), 'ada: x')
  t.equal(app.gate.stats.live, 1)
})
