import { once } from 'node:events'
import { connect as dialTcp } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import { connected, dial, refused } from './fixtures/dial.js'
import { randomPrefix, redisUrl } from './fixtures/realtime-node.js'
import { scriptedAuth } from './fixtures/scripted-auth.js'
import { startProcess as start, startReady } from './fixtures/start-process.js'

t.test('serves, logs no secrets at level trace, and exits on SIGTERM', async (t) => {
  const auth = await scriptedAuth(t)
  const code = 'registration-code-of-this-test'
  const handlerSecret = 'handler-secret-of-thirty-two-characters'
  const service = start(t, {
    AUTH_URL: auth.url,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: randomPrefix(),
    REGISTRATION_CODE: code,
    PORT: '0',
    LOG_LEVEL: 'trace',
    TOKEN_IN_QUERY: 'true',
    HANDLERS: '{"rpc":{"":"http://127.0.0.1:1/?key=handler-key"}}',
    HANDLER_SECRET: handlerSecret,
  })
  const [, port] = await service.wrote(/listening at http:\/\/127\.0\.0\.1:(\d+)/)
  const url = `ws://127.0.0.1:${port}/connection/websocket`
  while ((await fetch(`http://127.0.0.1:${port}/ready`)).status !== 200) {}

  const secrets = [code, handlerSecret, 'handler-key']
  const secret = (token: string) => {
    secrets.push(token)
    return token
  }
  const token = secret(auth.issue())
  const peer = await connected(url, token)
  await peer.call({ id: 2, refresh: { token: secret(auth.issue()) } })
  t.match(await peer.call({ id: 3, rpc: { data: 'a secret message' } }), { error: { code: 100 } })
  const query = dial(`${url}?access_token=${secret(auth.issue())}`)
  await once(query.socket, 'open')
  query.send({ id: 1, connect: { token: secret('a-stale-token') } })
  await query.closed
  const browser = new WebSocket(url, ['portcullis', `bearer.${secret(auth.issue())}`])
  await once(browser, 'open')
  await refused(url, { headers: { authorization: `Bearer ${secret('unknown-token')}` } })
  await refused(url, { protocols: [`bearer.${secret('alone-token')}`] })
  await refused(`${url}?access_token=${secret('query-token')}`)
  await fetch(`http://127.0.0.1:${port}/api/publish`, {
    method: 'POST',
    headers: {
      'x-api-key': token,
      'content-type': 'application/json',
      'x-forwarded-for': '192.0.2.1',
    },
    body: '{"channel":"a","data":"a secret message"}',
  })
  await auth.revoke({ all: true })
  await peer.closed

  service.child.kill('SIGTERM')
  t.equal(await service.exited, 0)
  t.match(service.output(), /"closed"/, 'the log has entries')
  t.match(service.output(), /"handler":"rpc \\"\\""/, 'names a failing handler')
  t.match(service.output(), /TRUST_PROXY is not set/, 'warns about an untrusted proxy')
  for (const each of [...secrets, 'a secret message']) {
    t.notOk(service.output().includes(each), `${each.slice(0, 12)}… is not in the log`)
  }
})

t.test(
  'closes all clients with 3001 on SIGTERM and exits with 0, whatever clients do',
  async (t) => {
    const { service, auth, port, url } = await startReady(t, { CLOSE_DEADLINE_MS: '1000' })
    const token = auth.issue()
    const peers = await Promise.all(Array.from({ length: 20 }, () => connected(url, token)))
    const deaf = await connected(url, token)
    deaf.socket.pause()
    const half = dialTcp(port, '127.0.0.1')
    half.on('error', () => undefined)
    await once(half, 'connect')
    half.write('POST /api/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
    service.child.kill('SIGTERM')
    t.equal(await service.exited, 0)
    for (const peer of peers) {
      t.same(await peer.closed, { code: 3001, reason: 'shutdown' })
    }
    deaf.socket.terminate()
  },
)

t.test('is not ready, but works as usual, for SHUTDOWN_DELAY_MS after a stop signal', async (t) => {
  const node = await startReady(t, { SHUTDOWN_DELAY_MS: '600000' })
  const { service, auth, port, url } = node
  const early = await connected(url, auth.issue())
  service.child.kill('SIGTERM')
  await service.wrote(/"closing"/)
  const ready = await fetch(`http://127.0.0.1:${port}/ready`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { reasons: { node: 'closing' } })
  const late = await connected(url, auth.issue())
  const token = auth.issue()
  const revoked = await connected(url, token)
  await auth.revoke({ token })
  t.equal((await revoked.closed).code, 4500, 'revocations take effect')
  t.same([early.socket.readyState, late.socket.readyState], [1, 1], 'clients stay connected')
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 1, 'a second signal does not wait')
  early.socket.terminate()
  late.socket.terminate()
})

t.test('closes clients after SHUTDOWN_DELAY_MS', async (t) => {
  const { service, auth, url } = await startReady(t, { SHUTDOWN_DELAY_MS: '1' })
  const peer = await connected(url, auth.issue())
  service.child.kill('SIGTERM')
  t.same(await peer.closed, { code: 3001, reason: 'shutdown' })
  t.equal(await service.exited, 0)
})

t.test('exits at once on a second signal', async (t) => {
  const { service, auth, url } = await startReady(t, { CLOSE_DEADLINE_MS: '600000' })
  const deaf = await connected(url, auth.issue())
  deaf.socket.pause()
  service.child.kill('SIGTERM')
  await service.wrote(/"closing"/)
  t.equal(service.child.exitCode, null, 'waits for the client')
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 1, 'exits with 1')
  deaf.socket.terminate()
})

t.test('explains in one line why it cannot start', async (t) => {
  const base = { REGISTRATION_CODE: 'code', PORT: '0', REDIS_URL: redisUrl }
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^cannot start: REGISTRATION_CODE is required\n$/],
    [{ ...base, REDIS_URL: 'redis://127.0.0.1:1' }, /^cannot start: Redis cannot be reached .*\n$/],
    [{ ...base, REDIS_URL: 'http://x' }, /^cannot start: "http:\/\/x" is not a Redis URL.*\n$/],
    [{ ...base, PORT: '99999' }, /^cannot start: PORT must be at most 65535\n$/],
  ]
  const services = cases.map(([environment, line]) => ({
    line,
    service: start(t, { LOG_LEVEL: 'silent', ...environment }),
  }))
  for (const { line, service } of services) {
    t.equal(await service.exited, 1)
    t.match(service.output(), line)
  }
})
