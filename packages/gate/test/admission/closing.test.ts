import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { makeAuthority } from '@portcullis/local'
import t, { type Test } from 'tap'
import { reset } from '../../src/admission/reset.js'
import { closeOf } from '../fixtures/close-of.js'
import { dial } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

t.test('a revocation closes exactly the sockets that it covers, and counts them', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  const open = async (claims: object): Promise<Awaited<ReturnType<typeof dial>>> =>
    dial(`${ws}/echo`, { token: auth.issue(claims) })
  const ada = await open({ sub: 'ada' })
  const adaToo = await open({ sub: 'ada', labels: ['red'] })
  const bob = await open({ sub: 'bob' })
  const bank = await open({ client_id: 'bank', sub: 'ada' })

  const label = await auth.push(auth.event({ identity: 'shop', label: 'red' }))
  t.equal(label.revocations[0]?.connectionsClosed, 1)
  t.strictSame(await adaToo.closed, { code: 4500, reason: 'token revoked' })

  const both = await auth.push(
    auth.event({ identity: 'shop', subject: 'ada' }),
    auth.event({ identity: 'shop' }),
  )
  t.strictSame(
    both.revocations.map(({ connectionsClosed }) => connectionsClosed),
    [1, 1],
    'each socket counts with the first revocation that covers it',
  )
  t.equal((await ada.closed).code, 4500)
  t.equal((await bob.closed).code, 4500)
  t.equal(await bank.ask('x'), 'ada: x', 'another identity')

  await auth.push(auth.event({ all: true }))
  t.equal((await bank.closed).code, 4500)
  t.equal(app.gate.stats.revoked, 4)
  t.equal(app.gate.stats.live, 0)
})

t.test('cuts a socket whose peer does not answer the close frame', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const { hostname, port, host } = new URL(http)
  const socket = connect({ host: hostname, port: Number(port) })
  const gone = new Promise((resolve) => socket.once('close', resolve))
  // ECONNRESET
  socket.on('error', () => undefined)
  socket.write(
    [
      'GET /echo HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      `Authorization: Bearer ${token}`,
      '',
      '',
    ].join('\r\n'),
  )
  await once(socket, 'data')
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  // The peer reads the close frame and does not answer.
  await gone
  t.equal(app.gate.stats.live, 0)
})

t.test('a revocation drops the bytes that a slow peer has not read', async (t) => {
  const auth = await scriptedAuth(t)
  let backlog = 0
  let ours: Socket | undefined
  const { ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/flood', { websocket: true, preValidation: app.admit() }, (socket, request) => {
        ours = request.raw.socket
        socket.on('message', () => {
          while (socket.bufferedAmount === 0) {
            socket.send(Buffer.alloc(1024 * 1024))
          }
          socket.send('too late')
          backlog = socket.bufferedAmount
        })
      })
    },
  })
  const token = auth.issue()
  const peer = await dial(`${ws}/flood`, { token })
  const heard: string[] = []
  peer.socket.on('message', (data, binary) => {
    if (!binary) {
      heard.push(String(data))
    }
  })
  peer.socket.send('go')
  peer.socket.pause()
  while (backlog === 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const handed = handedOver(ours)
  const theirs = Reflect.get(peer.socket, '_socket') as Socket
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  peer.socket.resume()
  await peer.closed
  t.strictSame(heard, [])
  t.ok(theirs.bytesRead < handed, `the kernel kept some of ${handed} bytes: ${theirs.bytesRead}`)
})

t.test('a reset drops the bytes in the kernel', async (t) => {
  const flooded: Record<string, (socket: Socket) => unknown> = {
    open: () => undefined,
    'ended with bytes left to send': (socket) => socket.end(),
  }
  for (const secure of [false, true]) {
    for (const [which, before] of Object.entries(flooded)) {
      const { ours, theirs } = await pair(t, await serverOf(secure), secure)
      await flood(ours)
      before(ours)
      const handed = handedOver(ours)
      const closed = closeOf(theirs)
      reset(ours)
      t.equal(ours.destroyed, true)
      theirs.resume()
      await closed
      t.ok(theirs.bytesRead < handed, `${secure ? 'TLS' : 'TCP'}, ${which}: ${theirs.bytesRead}`)
    }
  }
})

t.test('a reset ends TCP, TLS and Unix sockets, even in the middle of a shutdown', async (t) => {
  for (const secure of [false, true]) {
    const { ours, theirs } = await pair(t, await serverOf(secure), secure)
    const closed = Promise.all([closeOf(ours), closeOf(theirs)])
    ours.end()
    // During the shutdown.
    reset(ours)
    reset(ours)
    theirs.resume()
    await closed
  }

  const path = join(tmpdir(), `gate-${randomUUID()}`)
  const { ours: local, theirs: peer } = await pair(t, createServer(), false, path)
  const gone = closeOf(peer)
  reset(local)
  peer.resume()
  await gone
  t.equal(local.destroyed, true)
})

t.test('a grant ends when it expires', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue({ expiresAt: Date.now() + 1200 })
  const { exp } = auth.of(token)
  const peer = await dial(`${ws}/echo`, { token })
  t.strictSame(await peer.closed, { code: 3005, reason: 'connection expired' })
  t.ok(Date.now() >= exp * 1000 - 50, 'not before exp')
  t.equal(app.gate.stats.expired, 1)
})

t.test('a route that holds the grant closes its socket itself', async (t) => {
  const auth = await scriptedAuth(t)
  const ends: string[] = []
  const releases = new Map<string, () => void>()
  const { app, ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/own', { websocket: true, preValidation: app.admit() }, (socket, { grant }) => {
        const release = app.gate.hold(grant, (reason) => {
          ends.push(`${grant.subject} ${reason}`)
          socket.close(4999, 'own way')
        })
        releases.set(grant.jti, release)
        socket.on('close', release)
        socket.on('message', async (data) => {
          // Like a refresh: hold the new token first, then release the old one.
          const fresh = await app.gate.introspect(String(data))
          socket.on(
            'close',
            app.gate.hold(fresh, () => socket.close(4998)),
          )
          release()
          socket.send('refreshed')
        })
      })
    },
  })
  const token = auth.issue()
  const peer = await dial(`${ws}/own`, { token })
  const ack = await auth.push(auth.event({ jti: auth.of(token).jti }))
  t.equal(ack.revocations[0]?.connectionsClosed, 1)
  t.strictSame(await peer.closed, { code: 4999, reason: 'own way' })
  t.strictSame(ends, ['ada revoked'])

  // Rotate the token, then revoke the old one (klangk#3160).
  const [old, fresh] = [auth.issue(), auth.issue()]
  const second = await dial(`${ws}/own`, { token: old })
  t.equal(await second.ask(fresh), 'refreshed')
  const none = await auth.push(auth.event({ jti: auth.of(old).jti }))
  t.equal(none.revocations[0]?.connectionsClosed, 0)
  t.equal(await second.ask(auth.issue()), 'refreshed', 'the socket stays open')
  await auth.push(auth.event({ identity: 'shop' }))
  t.equal((await second.closed).code, 4998)
  t.equal(app.gate.stats.live, 0)
})

t.test('hold calls onEnd at once for an ended grant', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  const grant = await app.gate.introspect(token)
  const broken = app.gate.hold(grant, () => {
    throw new Error('a failing holder')
  })
  const reasons: string[] = []
  app.gate.hold(grant, (reason) => reasons.push(reason))
  const ack = await auth.push(auth.event({ jti: grant.jti }))
  t.equal(ack.revocations[0]?.connectionsClosed, 2, 'each holder is called, and counted')
  t.strictSame(reasons, ['revoked'])
  t.equal(grant.ended, 'revoked')
  app.gate.hold(grant, (reason) => reasons.push(reason))
  t.strictSame(reasons, ['revoked', 'revoked'])
  broken()
})

t.test('keeps no grant of closed connections', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http, ws } = await guardedApp(t, { authUrl: auth.url, holdCallersMs: 0 })
  const tokens = Array.from({ length: 20 }, () => auth.issue())
  for (let round = 0; round < 3; round++) {
    const peers = await Promise.all(
      Array.from({ length: 60 }, (_, at) => dial(`${ws}/echo`, { token: tokens[at % 20] ?? '' })),
    )
    t.equal(app.gate.stats.live, 60)
    const gone = peers.map((peer) => peer.closed)
    for (const [at, { socket }] of peers.entries()) {
      if (at % 2 === 0) {
        socket.terminate()
      } else {
        socket.close()
      }
    }
    await Promise.all(gone)
    const responses = await Promise.all(
      tokens.map((token) =>
        fetch(`${http}/whoami`, { headers: { authorization: `Bearer ${token}` } }),
      ),
    )
    for (const response of responses) {
      await response.text()
    }
    const injected = await app.inject({
      url: '/whoami',
      headers: { authorization: `Bearer ${tokens[0]}` },
    })
    t.equal(injected.statusCode, 200)
    await until(() => app.gate.stats.live === 0)
    t.equal(app.gate.stats.live, 0)
  }
})

t.test(
  'closing the app closes its sockets and says bye; a second close does nothing',
  async (t) => {
    const auth = await scriptedAuth(t)
    const { app, ws } = await guardedApp(t, { authUrl: auth.url })
    const peer = await dial(`${ws}/echo`, { token: auth.issue() })
    const bye = auth.next('bye')
    await Promise.all([app.close(), app.close()])
    t.match(await bye, { type: 'bye' })
    t.ok([1001, 1005].includes((await peer.closed).code))
    t.type(app.gate.ready(), 'string', 'a closed gate is not ready')
    await t.rejects(app.gate.introspect('x'), { code: 'auth_unavailable' })
  },
)

t.test('refuses a token whose introspection is answered after the bye', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  let answer = (): void => undefined
  auth.onIntrospect = async (honest) => {
    await new Promise<void>((resolve) => {
      answer = resolve
    })
    return honest()
  }
  const asked = auth.next('introspect')
  const admitted = app.gate.introspect(auth.issue())
  await asked
  const bye = auth.next('bye')
  const closed = app.close()
  await bye
  t.equal(app.gate.lease.held, false, 'receipts no longer wait for this node')
  answer()
  await t.rejects(admitted, { code: 'auth_unavailable' })
  await closed
})

const authority = makeAuthority('ours')

async function serverOf(secure: boolean): Promise<Server> {
  return secure
    ? createTlsServer(await (await authority).sign('server', 'localhost'))
    : createServer()
}

/** Returns both ends of a connection; the peer does not read. */
async function pair(t: Test, server: Server, secure: boolean, path?: string) {
  t.teardown(() => server.close())
  await once(path === undefined ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const accepted = once(server, secure ? 'secureConnection' : 'connection')
  const theirs = secure
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : path === undefined
      ? connect({ port, host: '127.0.0.1' })
      : connect(path)
  theirs.pause()
  theirs.on('error', () => undefined)
  const [ours] = (await accepted) as [Socket]
  ours.on('error', (error) => t.fail('the socket emitted an error', { error }))
  return { ours, theirs }
}

/** Writes until the kernel's buffer is full and bytes remain in the process. */
async function flood(socket: Socket): Promise<void> {
  const chunk = Buffer.alloc(8192)
  while (socket.writableLength < 300_000) {
    socket.write(chunk)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Returns how many bytes were handed to the kernel. */
function handedOver(socket: Socket | undefined): number {
  return (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)
}

/** Polls a condition in each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
