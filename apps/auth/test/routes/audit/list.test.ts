import { once } from 'node:events'
import { get } from 'node:http'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { listen } from '../../fixtures/node.js'
import { redisProxy } from '../../fixtures/redis-proxy.js'

t.test('requires the scope audit:read and a valid query', async (t) => {
  const { api, tokenWith } = await auth(t)
  const auditor = await tokenWith('audit:read')
  const other = await tokenWith('identities:read')
  for (const url of ['/v1/audit', '/v1/audit/export']) {
    t.equal((await api(undefined, 'GET', url)).statusCode, 401)
    t.equal((await api(other, 'GET', url)).json().code, 'insufficient_scope')
    t.equal((await api(auditor, 'GET', url)).statusCode, 200)
    t.match((await api(auditor, 'GET', `${url}?after=x`)).json(), {
      code: 'invalid_request',
      detail: /^query: after/,
    })
    t.equal((await api(auditor, 'GET', `${url}?after=99999999999999999.0`)).statusCode, 400)
    t.equal((await api(auditor, 'GET', `${url}?actors=x`)).statusCode, 400)
  }
  t.match((await api(auditor, 'GET', '/v1/audit?cursor=1.0&after=1.0')).json().detail, /after/)
  t.match((await api(auditor, 'GET', '/v1/audit?wait=5')).json().detail, /wait needs after/)
  t.match((await api(auditor, 'GET', '/v1/audit?cursor=00.0')).json().code, 'bad_cursor')
})

t.test('follows the log with entries of any instance, until auth closes', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const admin = await self.token()
  const first = await self.api(admin, 'GET', '/v1/audit?after=0.0')
  const { entries } = first.json()
  t.match(entries, [{ action: 'identity.register' }, { action: 'token.issue' }])
  const from = `/v1/audit?after=${first.json().cursor}&wait=60000`
  const [next] = await Promise.all([
    self.api(admin, 'GET', `${from}&action=code`),
    other.api(admin, 'POST', '/v1/identities/admin/registration-codes'),
  ])
  t.match(next.json().entries, [{ action: 'code.add', target: { identity: 'admin' } }])
  const url = await listen(self)
  const authorization = `Bearer ${admin}`
  const waiting = fetch(`${url}${from}&action=key`, { headers: { authorization } })
  // After the response to a second request, auth is serving the first.
  await fetch(`${url}/health`)
  await self.app.close()
  const answer = await waiting
  t.equal(answer.status, 200)
  t.match(await answer.json(), { entries: [], cursor: String })
})

t.test('exports JSON lines, oldest first', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  for (let n = 0; n < 3; n += 1) {
    await self.token()
  }
  const answer = await fetch(`${await listen(self)}/v1/audit/export`, {
    headers: { authorization: `Bearer ${admin}` },
  })
  t.equal(answer.headers.get('content-type'), 'application/jsonl')
  const lines = (await answer.text()).split('\n')
  t.equal(lines.pop(), '', 'ends with a newline')
  const entries = lines.map((line) => JSON.parse(line))
  const issued = { action: 'token.issue', result: 'ok' }
  t.match(entries, [{ action: 'identity.register' }, ...Array(4).fill(issued)])
  const { entries: newest } = (await self.api(admin, 'GET', '/v1/audit')).json()
  t.same(newest.slice(1), [...entries].reverse(), 'has the same entries as the list')
  t.match(newest[0], { action: 'audit.export' })
})

t.test('answers a completed act normally when its entry cannot be written', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const { redis, keys } = self.app.registry
  await self.app.auditLog.log.settled()
  await redis.set(keys.audit(0, 'acts'), 'of another type')
  const body = { identity: 'shop', scopes: [] }
  const answer = await self.api(admin, 'POST', '/v1/identities', body)
  t.equal(answer.statusCode, 201)
  const { registrationCode } = answer.json()
  t.match(registrationCode, /^.{43}$/)

  const line = self
    .logs()
    .split('\n')
    .find((one) => one.includes('not in the audit log'))
  t.match(JSON.parse(line ?? '{}'), {
    level: 50,
    entry: {
      action: 'identity.register',
      result: 'ok',
      actor: { identity: 'admin' },
      target: { identity: 'shop' },
      requestId: String,
    },
    err: { code: 'registry_unavailable' },
  })
  t.notOk(self.logs().includes(registrationCode))
  const metrics = (await self.app.inject('/metrics')).body
  t.match(metrics, 'portcullis_auth_audit_entries_lost_total 1')
  await redis.del(keys.audit(0, 'acts'))
})

t.test(
  "streams an export at the client's pace, and cuts the connection when it fails",
  async (t) => {
    const proxy = await redisProxy(t)
    const self = await auth(t, { REDIS_URL: proxy.url })
    const admin = await self.token()
    const { redis, keys } = self.app.registry
    const entry = JSON.stringify({ action: 'code.add', detail: { filler: 'x'.repeat(4000) } })
    // The existing entries are newer than the ones added below.
    await redis.del(keys.audit(0, 'acts'))
    const start = (Date.now() - 60_000) * 1000
    for (let n = 0; n < 3000; n += 250) {
      const adding = redis.pipeline()
      for (let m = n; m < n + 250; m += 1) {
        adding.xadd(keys.audit(0, 'acts'), `${start + m}-0`, 'entry', entry)
      }
      await adding.exec()
    }

    const request = get(`${await listen(self)}/v1/audit/export`, {
      headers: { authorization: `Bearer ${admin}` },
    })
    const [response] = await once(request, 'response')
    await once(response, 'readable')
    t.equal(response.statusCode, 200)
    const chunk = response.read()
    t.match(String(chunk), /"code.add"/)
    proxy.cut()
    await t.rejects(async () => {
      for await (const _ of response) {
      }
    }, /aborted/)
  },
)
