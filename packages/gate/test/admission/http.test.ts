// HTTP responses under a grant.
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { closeOf } from '../fixtures/close-of.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

/** Routes that pause in the middle of their work until `proceed`. */
function pausing(): {
  routes: (app: FastifyInstance) => void
  reached: Promise<void>
  proceed: () => void
} {
  let reach: () => void = () => undefined
  let proceed: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const told = new Promise<void>((resolve) => {
    proceed = resolve
  })
  return {
    reached,
    proceed: () => proceed(),
    routes: (app) => {
      app.get('/slow', { preValidation: app.admit() }, async (_request, reply) => {
        reach()
        await told
        return reply.header('x-secret', 'secret').send({ secret: 'secret' })
      })
      app.get('/own', { preValidation: app.admit() }, async ({ grant }) => {
        const release = app.gate.hold(grant, () => undefined)
        reach()
        await told
        release()
        return { ended: grant.ended }
      })
      app.get('/stream', { preValidation: app.admit() }, (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write('first')
        reply.raw.once('close', () => reach())
      })
    },
  }
}

t.test('an unsent response becomes a 401 when its token is revoked', async (t) => {
  const auth = await scriptedAuth(t)
  const { routes, reached, proceed } = pausing()
  const { app, http } = await guardedApp(t, { authUrl: auth.url, holdCallersMs: 0, routes })
  const token = auth.issue()
  const asked = fetch(`${http}/slow`, { headers: { authorization: `Bearer ${token}` } })
  await reached
  t.equal(app.gate.stats.live, 1)
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  proceed()
  const response = await asked
  t.equal(response.status, 401)
  t.equal(response.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  t.notOk(response.headers.has('x-secret'))
  t.match(await response.json(), { status: 401, code: 'invalid_token' })
})

t.test('a revocation cuts a response that has begun', async (t) => {
  const auth = await scriptedAuth(t)
  const { routes, reached } = pausing()
  const { app, http } = await guardedApp(t, { authUrl: auth.url, routes })
  const token = auth.issue()
  const response = await fetch(`${http}/stream`, { headers: { authorization: `Bearer ${token}` } })
  const ack = await auth.push(auth.event({ jti: auth.of(token).jti }))
  t.equal(ack.revocations[0]?.connectionsClosed, 1)
  await reached
  await t.rejects(response.text(), 'the body is cut')
  t.equal(app.gate.stats.live, 0)
})

t.test('a revocation drops the part of a response that a slow reader has not read', async (t) => {
  const auth = await scriptedAuth(t)
  let flooded: (handed: number) => void = () => undefined
  const handing = new Promise<number>((resolve) => {
    flooded = resolve
  })
  const { http } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/flood', { preValidation: app.admit() }, async ({ raw: { socket } }, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        while (socket.writableLength < 300_000) {
          reply.raw.write(Buffer.alloc(8192))
          await new Promise((resolve) => setImmediate(resolve))
        }
        flooded(socket.bytesWritten - socket.writableLength)
      })
    },
  })
  const token = auth.issue()
  const { hostname, port } = new URL(http)
  const reader = connect(Number(port), hostname)
  reader.on('error', () => undefined)
  reader.write(`GET /flood HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const handed = await handing
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  reader.resume()
  await closeOf(reader)
  t.ok(reader.bytesRead < handed, `${reader.bytesRead} of ${handed} bytes`)
})

t.test('a route that holds the grant answers as it likes', async (t) => {
  const auth = await scriptedAuth(t)
  const { routes, reached, proceed } = pausing()
  const { http } = await guardedApp(t, { authUrl: auth.url, routes })
  const token = auth.issue()
  const asked = fetch(`${http}/own`, { headers: { authorization: `Bearer ${token}` } })
  await reached
  await auth.push(auth.event({ jti: auth.of(token).jti }))
  proceed()
  t.strictSame(await (await asked).json(), { ended: 'revoked' })
})

t.test('keeps no grant of an aborted request', async (t) => {
  const auth = await scriptedAuth(t)
  const { routes, reached, proceed } = pausing()
  const { app, http } = await guardedApp(t, { authUrl: auth.url, holdCallersMs: 0, routes })
  const aborter = new AbortController()
  const asked = fetch(`${http}/slow`, {
    headers: { authorization: `Bearer ${auth.issue()}` },
    signal: aborter.signal,
  })
  await reached
  t.equal(app.gate.stats.live, 1)
  aborter.abort()
  await t.rejects(asked)
  while (app.gate.stats.live > 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  proceed()
  t.pass()
})
