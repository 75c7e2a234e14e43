import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../src/app.js'
import { config } from '../src/config.js'
import { auth } from './fixtures/auth.js'
import { joined, listen, revocations } from './fixtures/node.js'
import { ready } from './fixtures/ready.js'
import { redisProxy } from './fixtures/redis-proxy.js'

t.test(
  'the first start makes an administrator, and writes its code to a file that only the owner can read',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'auth-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const file = join(folder, 'admin.json')
    const self = await auth(t, { ADMIN_REGISTRATION_CODE: '', ADMIN_CODE_FILE: file })
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.same(await readdir(folder), ['admin.json'])
    const text = await readFile(file, 'utf8')
    const { identity, registrationCode } = JSON.parse(text)
    t.equal(identity, 'admin')
    t.type(await self.token({ identity, registrationCode }), 'string')
    t.match(self.logs(), file)
    t.notOk(self.logs().includes(registrationCode))

    await self.another()
    t.equal(await readFile(file, 'utf8'), text, 'a second start leaves the file alone')
  },
)

t.test('a configured registration code is added to those that the administrator has', async (t) => {
  const self = await auth(t)
  const code = 'another-code-of-the-administrator-0123456789'
  await self.another({ ADMIN_REGISTRATION_CODE: code })
  await self.another({ ADMIN_REGISTRATION_CODE: code })
  t.type(await self.token(), 'string')
  t.type(await self.token({ identity: 'admin', registrationCode: code }), 'string')
})

t.test('two instances share identities, keys and tokens', async (t) => {
  const self = await auth(t, { KEY_ENCRYPTION_SECRET: 'a secret of 32 characters at least' })
  const other = await self.another()
  const token = await self.tokenWith('nodes:read')
  t.equal((await other.api(token, 'GET', '/v1/nodes')).statusCode, 200)
})

t.test('rejects a configuration that it cannot start with, and names the setting', async (t) => {
  const self = await auth(t)
  await t.rejects(self.another({ PARTITIONS: '2' }), { code: 'partitions_mismatch' })
  await t.rejects(self.another({ REDIS_URL: 'redis://127.0.0.1:1' }), /check REDIS_URL/)
  await t.rejects(self.another({ REDIS_URL: 'nonsense' }), { code: 'REDIS_URL_INVALID' })
  t.throws(() => config({ PORT: 'x', ADMIN_REGISTRATION_CODE: 'short' }), {
    code: 'CONFIG_INVALID',
    problems: [/^PORT/, /^ADMIN_REGISTRATION_CODE/],
  })
  t.throws(() => config({ ADMIN_REGISTRATION_CODE: 'password'.repeat(4) }), {
    code: 'CONFIG_INVALID',
    problems: [/^ADMIN_REGISTRATION_CODE must have 8 different characters .* openssl rand/],
  })
})

t.test('answers 503 with Retry-After while Redis is away, and recovers', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { REDIS_URL: proxy.url })
  const admin = await self.token()
  const feed = await joined(t, self, 'node-1')
  t.equal((await self.app.inject('/ready')).statusCode, 200)
  proxy.cut()
  const routes = [
    ['GET', '/v1/nodes', undefined],
    ['GET', '/v1/identities', undefined],
    ['POST', '/v1/introspections', { tokens: [admin] }],
    ['POST', '/v1/tokens', { subject: 'ann' }],
    ['POST', '/v1/revocations', { all: true }],
    ['GET', '/v1/feed', undefined],
  ] as const
  for (const [method, path, body] of routes) {
    const answer = await self.api(admin, method, path, body)
    t.equal(answer.statusCode, 503, path)
    t.equal(answer.json().code, 'registry_unavailable')
    t.match(answer.headers['retry-after'], /^[1-9]/)
  }
  const introspected = await self.form(
    '/oauth/introspect',
    { token: admin },
    { authorization: `Bearer ${admin}` },
  )
  const token = await self.form('/oauth/token', {
    grant_type: 'client_credentials',
    client_id: 'admin',
    client_secret: 'x',
  })
  for (const answer of [introspected, token]) {
    t.equal(answer.statusCode, 503)
    t.equal(answer.json().error, 'temporarily_unavailable')
    t.match(answer.headers['retry-after'], /^[1-9]/)
  }
  t.equal((await self.app.inject('/health')).statusCode, 200)
  const notReady = await self.app.inject('/ready')
  t.match(notReady.json(), { reasons: { redis: String } })
  t.equal(
    (await self.api(`x${admin}`, 'GET', '/v1/nodes')).statusCode,
    401,
    'a token with a forged header is refused without Redis',
  )

  proxy.restore()
  await ready(self)
  const body = { identity: 'x' }
  const revoked = await self.api(admin, 'POST', '/v1/revocations', body)
  t.same(await feed.events(1), [revoked.json().id], 'the feed continues')
})

t.test('answers 503 while Redis is silent, and recovers', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { REDIS_URL: proxy.url })
  const admin = await self.token()
  proxy.silence()
  const [nodes, readiness] = await Promise.all([
    self.api(admin, 'GET', '/v1/nodes'),
    self.app.inject('/ready'),
  ])
  t.equal(nodes.statusCode, 503)
  t.equal(readiness.statusCode, 503)
  proxy.restore()
  await ready(self)
  t.equal((await self.api(admin, 'GET', '/v1/nodes')).statusCode, 200)
})

t.test('metrics count what auth does, and contain no names', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  await joined(t, self, 'node-1')
  await self.api(admin, 'POST', '/v1/tokens', { subject: 'ann', scope: 'subscribe:a' })
  await self.api(admin, 'POST', '/v1/introspections', { tokens: [admin, 'x', 'y'] })
  await self.api(admin, 'POST', '/v1/revocations', { identity: 'x', subject: 'ann' })
  const { body } = await self.app.inject('/metrics')
  t.match(body, 'portcullis_auth_tokens_issued_total{grant="subject"} 1')
  t.match(body, 'portcullis_auth_introspections_total{result="active"} 1')
  t.match(body, 'portcullis_auth_introspections_total{result="inactive"} 2')
  t.match(body, 'portcullis_auth_revocations_total{selector="identity_subject"} 1')
  t.match(body, 'portcullis_auth_feed_nodes 1')
  t.match(body, /portcullis_auth_feed_position_seconds [0-9.]+/)
  t.notMatch(body, /ann|node-1|admin/)
})

t.test(
  'metrics show how long revocations take, and how many parts of receipts are pending',
  async (t) => {
    const proxy = await redisProxy(t)
    for (const PARTITIONS of ['1', '4']) {
      const self = await auth(t, { LEASE_MS: '2000', PARTITIONS, REDIS_URL: proxy.url })
      const admin = await self.token()
      const value = async (name: string) => {
        const { body } = await self.app.inject('/metrics')
        return body
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length + 1)
      }
      t.equal(
        await value('portcullis_auth_receipt_parts_total{state="fenced"}'),
        '0',
        'before the first increment',
      )
      t.equal(await value('portcullis_auth_revocation_duration_seconds_count{state="acked"}'), '0')

      const one = await joined(t, self, 'node-1')
      const [id = ''] = await revocations(self, admin, 1)
      await one.events(1)
      t.equal(await value('portcullis_auth_receipt_parts_pending'), '1')
      const ack = { type: 'ack', cursor: one.cursor(), revocations: [{ id, connectionsClosed: 3 }] }
      one.send(ack)
      one.send(ack)
      while ((await value('portcullis_auth_receipt_parts_pending')) !== '0') {}
      t.equal(
        await value('portcullis_auth_receipt_parts_total{state="acked"}'),
        '1',
        'a repeated ack counts once',
      )
      t.equal(await value('portcullis_auth_revocation_duration_seconds_count{state="acked"}'), '1')
      const seconds = Number(
        await value('portcullis_auth_revocation_duration_seconds_sum{state="acked"}'),
      )
      t.ok(seconds > 0 && seconds < 2, `${seconds} s`)

      // The node never renews its lease.
      await self.api(admin, 'POST', '/v1/revocations', { all: true, wait: 60_000 })
      t.equal(await value('portcullis_auth_receipt_parts_total{state="fenced"}'), PARTITIONS)
      t.equal(await value('portcullis_auth_nodes_fenced_total'), '1')
      t.match(
        await value('portcullis_auth_revocation_duration_seconds_bucket{le="5",state="fenced"}'),
        PARTITIONS,
        'soon after the lease is out',
      )
      if (PARTITIONS === '4') {
        proxy.cut()
        t.equal(
          await value('portcullis_auth_receipt_parts_pending'),
          'Nan',
          'an unknown number is not zero',
        )
        proxy.restore()
      }
    }
  },
)

t.test(
  'closing does not wait for idle connections or for requests that wait for receipts',
  async (t) => {
    const self = await auth(t, { CLOSE_DEADLINE_MS: '1000' })
    const url = new URL(await listen(self))
    const idle = connect(Number(url.port), url.hostname)
    await once(idle, 'connect')
    idle.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')
    const ended = once(idle, 'close')
    const admin = await self.token()
    const one = await joined(t, self, 'node-1')
    const waiting = fetch(new URL('/v1/revocations', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify({ identity: 'x', wait: 60_000 }),
    })
    await one.events(1)
    await self.app.close()
    await ended
    t.match(await (await waiting).json(), { complete: false, nodes: [{ state: 'pending' }] })
  },
)

t.test('a keep-alive connection ends with the answer that closing waited for', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { REDIS_URL: proxy.url })
  const admin = await self.token()
  const url = await listen(self)
  proxy.silence()
  const arrived = once(self.app.server, 'request')
  const headers = { authorization: `Bearer ${admin}` }
  const answer = fetch(`${url}/v1/nodes`, { headers })
  await arrived
  const closed = self.app.close()
  while (self.app.server.listening) {
    await setImmediate()
  }
  proxy.restore()
  const { status, headers: sent } = await answer
  t.equal(status, 200)
  t.equal(sent.get('connection'), 'close')
  await closed
})

t.test('closes while Redis is away or silent', async (t) => {
  // Several commands in a row may have to time out, after 2 s each.
  const maxCloseMs = 20_000
  for (const fault of ['cut', 'silence'] as const) {
    const proxy = await redisProxy(t)
    const self = await auth(t, { REDIS_URL: proxy.url })
    const node = await joined(t, self, 'node-1')
    proxy[fault]()
    const began = performance.now()
    await self.app.close()
    const tookMs = performance.now() - began
    t.ok(tookMs < maxCloseMs, `${fault}: closed after ${tookMs} ms`)
    t.equal(self.app.server.listening, false)
    t.match(await node.closed, { code: 1001 }, 'the node is sent away')
  }
})

t.test('a start that fails closes its connections to Redis', async (t) => {
  const proxy = await redisProxy(t)
  const settings = config({
    REDIS_URL: proxy.url,
    REDIS_PREFIX: 'test-never-used',
    ADMIN_CODE_FILE: '/dev/null/x',
  })
  const failing = buildApp({ ...settings, LOG_LEVEL: 'silent' })
  let opened = 0
  const counting = setInterval(() => {
    opened = Math.max(opened, proxy.connections())
  }, 1)
  await t.rejects(failing, { code: 'ENOTDIR' })
  clearInterval(counting)
  t.ok(opened > 0)
  const deadline = performance.now() + 5000
  while (proxy.connections() > 0 && performance.now() < deadline) {
    await setImmediate()
  }
  t.equal(proxy.connections(), 0)
})

t.test(
  'while it closes, new requests get 503, and health and readiness are answered',
  async (t) => {
    const self = await auth(t)
    let finishClosing = () => {}
    self.app.addHook('preClose', (done) => {
      finishClosing = done
    })
    const url = await listen(self)
    const closed = self.app.close()
    while (!self.app.closing) {
      await setImmediate()
    }
    const api = await fetch(`${url}/v1/nodes`)
    t.equal(api.status, 503)
    t.match(api.headers.get('retry-after'), /^[1-9]/)
    t.match(await api.json(), { status: 503, code: 'closing' })
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const oauth = await fetch(`${url}/oauth/token`, { method: 'POST', body })
    t.equal(oauth.status, 503)
    t.match(oauth.headers.get('retry-after'), /^[1-9]/)
    t.match(await oauth.json(), { error: 'temporarily_unavailable', error_description: String })
    t.equal((await fetch(`${url}/health`)).status, 200)
    t.match(await (await fetch(`${url}/ready`)).json(), { reasons: { instance: 'closing' } })
    finishClosing()
    await closed
  },
)
