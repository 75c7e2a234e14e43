import {
  pushMethod,
  SecurityEvent,
  sessionRevokedEvent,
  verificationEvent,
} from '@portcullis/contracts/event-receivers'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { httpReceiver, progress, receiver, revoked, verified } from '../../fixtures/receiver.js'

const quick = { EVENT_RETRY_MS: '1' }

t.test('pushes each revocation as a signed CAEP event', async (t) => {
  const self = await auth(t)
  const http = await httpReceiver(t)
  const { id } = await receiver(self, http.url)
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const { identity } = shop
  const issued = await self.api(await self.token(shop), 'POST', '/v1/tokens', {
    subject: 'ann',
  })
  const { jti } = issued.json()
  const iss = 'http://127.0.0.1:4000'
  const application = { format: 'opaque', id: identity }
  const user = { format: 'iss_sub', iss, sub: 'ann' }
  const unknown = '0-AAAAAAAAAAAAAAAAAAAAAA'
  const format = 'complex'
  const cases: [object, object][] = [
    [{ token: jti }, { format, session: { format: 'jwt_id', iss, jti }, user, application }],
    [
      { token: jti, cascade: true },
      { format, session: { format: 'jwt_id', iss, jti }, user, application },
    ],
    [{ token: unknown }, { format, session: { format: 'jwt_id', iss, jti: unknown } }],
    [
      { identity, subject: 'ann' },
      { format, user, application },
    ],
    [
      { identity, label: 'phone' },
      { format, group: { format: 'opaque', id: 'phone' }, application },
    ],
    [
      { identity, reason: 'left the company' },
      { format, application },
    ],
    [{ all: true }, { format, tenant: { format: 'opaque', id: iss } }],
  ]
  for (const [index, [selector, subject]] of cases.entries()) {
    const before = Math.floor(Date.now() / 1000)
    const txn = await revoked(self, selector)
    const { headers, body } = await http.at(index + 1)
    t.match(headers, {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: undefined,
    })
    const { payload, protectedHeader } = await verified(self, body)
    t.ok(Value.Check(SecurityEvent, payload), 'the event satisfies its schema')
    t.match(protectedHeader, { typ: 'secevent+jwt', alg: 'EdDSA', kid: String })
    t.same(payload['sub_id'], subject, JSON.stringify(selector))
    t.equal(payload['txn'], txn)
    t.equal(payload.jti, `${txn}.${id}`)
    t.equal(payload.exp, undefined, 'RFC 8417 §4: not confusable with an access token')
    t.equal(payload.sub, undefined)
    const { [sessionRevokedEvent]: event } = payload['events'] as Record<string, unknown>
    t.match(event, { event_timestamp: Number, cutoff_us: Number })
    const { event_timestamp, reason_admin, cascade } = event as Record<string, unknown>
    t.equal(cascade, 'cascade' in selector ? true : undefined)
    t.ok(Number(event_timestamp) >= before && Number(event_timestamp) <= Date.now() / 1000)
    t.same(reason_admin, 'reason' in selector ? { und: 'left the company' } : undefined)
  }
  const done = await progress(self, id, ({ delivered }) => delivered === cases.length)
  t.match(done, { pending: 0, refused: 0, expired: 0, dropped: 0, lost: 0 })
  t.notOk('lastFailure' in done)
  const metrics = (await self.app.inject('/metrics')).body
  t.match(metrics, 'portcullis_auth_security_events_total{outcome="delivered"} 7')
  t.match(metrics, 'portcullis_auth_security_events_pending 0')
})

t.test('refuses an event in place of an access token', async (t) => {
  const self = await auth(t, { AUDIENCE: 'https://shop.example/events' })
  const http = await httpReceiver(t)
  await receiver(self, http.url)
  const { identity } = await self.identity(['feed'])
  await revoked(self, { identity })
  const { body } = await http.at(1)
  await verified(self, body)
  t.equal((await self.api(body, 'GET', '/v1/nodes')).statusCode, 401)
  const asked = await self.api(await self.token(), 'POST', '/v1/introspections', { tokens: [body] })
  t.same(asked.json().results, [{ active: false }])
  const named = await self.api(await self.token(), 'POST', '/v1/revocations', { token: body })
  t.equal(named.statusCode, 400)
})

t.test('sends the authorization header, encrypts it in Redis, and never shows it', async (t) => {
  const secret = 'Bearer the-secret-of-the-receiver'
  for (const environment of [{}, { KEY_ENCRYPTION_SECRET: 'a secret of 32 characters at least' }]) {
    const self = await auth(t, environment)
    const http = await httpReceiver(t)
    const { id, ...shown } = await receiver(self, {
      method: pushMethod,
      endpoint_url: http.url,
      authorization_header: secret,
    })
    t.same(shown.delivery, { method: pushMethod, endpoint_url: http.url, authorized: true })
    await revoked(self, { all: true })
    t.equal((await http.at(1)).headers.authorization, secret)
    const stored = await self.app.registry.redis.hget(self.app.registry.keys.eventReceivers, id)
    t.equal(stored?.includes('secret-of'), !('KEY_ENCRYPTION_SECRET' in environment))
    const admin = await self.token()
    for (const path of ['', `/${id}`]) {
      const answer = await self.api(admin, 'GET', `/v1/event-receivers${path}`)
      t.notMatch(answer.body, 'secret-of')
    }
    t.notMatch(self.logs(), 'secret-of')
    if (!('KEY_ENCRYPTION_SECRET' in environment)) {
      continue
    }
    await self.app.close()
    const other = await self.another({
      KEY_ENCRYPTION_SECRET: 'another secret of 32 characters or more',
      KEY_ENCRYPTION_SECRET_PREVIOUS: environment.KEY_ENCRYPTION_SECRET ?? '',
    })
    await revoked(other, { all: true })
    t.equal((await http.at(2)).headers.authorization, secret, 'after a change of the secret too')
  }
})

t.test('pushes an event again until the receiver takes it, with the same jti', async (t) => {
  const self = await auth(t, quick)
  const replies = [
    503,
    { status: 200, body: '<html>' },
    { status: 301, body: '', location: '/elsewhere' },
    { status: 400, body: 'not JSON' },
    { status: 400, body: '{"err":"invalid_key"}' },
    { status: 500, body: 'x'.repeat(100_000) },
    202,
  ]
  const http = await httpReceiver(t, (_, count) => replies[count - 1] ?? 202)
  const { id } = await receiver(self, http.url)
  await revoked(self, { identity: 'admin', subject: 'ann' })
  await http.at(replies.length)
  const done = await progress(self, id, ({ delivered }) => delivered === 1)
  t.match(done, { pending: 0, refused: 0 })
  t.match(done.lastFailure, { error: String, at: Number })
  t.equal(http.pushed.length, replies.length)
  t.equal(
    new Set(http.pushed.map(({ body }) => body)).size,
    1,
    'the event is the same in each attempt',
  )
})

t.test('a receiver that was down gets every event when it is back', async (t) => {
  const self = await auth(t, quick)
  const gone = await httpReceiver(t)
  const { id } = await receiver(self, gone.url)
  await gone.close()
  const ids = []
  for (const subject of ['ann', 'bob', 'eve']) {
    ids.push(await revoked(self, { identity: 'admin', subject }))
  }
  const away = await progress(
    self,
    id,
    ({ lastFailure, pending }) => lastFailure !== undefined && pending === ids.length,
  )
  t.match(away, { pending: 3, delivered: 0, lastFailure: { error: 'not reached: ECONNREFUSED' } })
  t.type(away.oldestAt, 'number')
  const back = await httpReceiver(t, () => 202, gone.port)
  await back.at(3)
  const got = await Promise.all(
    back.pushed.map(async ({ body }) => (await verified(self, body)).payload),
  )
  t.same(got.map((payload) => payload['txn']).sort(), ids.sort())
})

t.test('an event that the receiver refuses or fails on does not delay others', async (t) => {
  const self = await auth(t, { ...quick, EVENT_TIMEOUT_MS: '200' })
  const subjects: string[] = []
  const http = await httpReceiver(t, ({ body }) => {
    const { sub_id } = JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString())
    subjects.push(sub_id.user.sub)
    if (sub_id.user.sub === 'refused') {
      return { status: 400, body: '{"err":"invalid_request"}' }
    }
    if (sub_id.user.sub === 'hangs') {
      return 'hang'
    }
    return 202
  })
  const { id } = await receiver(self, http.url)
  for (const subject of ['hangs', 'refused', 'ann', 'bob']) {
    await revoked(self, { identity: 'admin', subject })
  }
  const done = await progress(self, id, ({ delivered }) => delivered === 2)
  t.match(done, { refused: 1, pending: 1 })
  t.equal(
    subjects.filter((subject) => subject === 'refused').length,
    1,
    'a refused event is not pushed again',
  )
  await progress(self, id, ({ lastFailure }) => lastFailure?.error === 'no answer in 200 ms')
})

t.test('an event expires, and the receiver is told that it missed events', async (t) => {
  const self = await auth(t, { ...quick, EVENT_MAX_AGE_SECONDS: '0' })
  let status = 503
  const http = await httpReceiver(t, () => status)
  const { id } = await receiver(self, http.url)
  await revoked(self, { all: true })
  const given = await progress(self, id, ({ expired }) => expired === 1)
  t.match(given, { pending: 1, delivered: 0 }, 'the notice is queued')
  status = 202
  await progress(self, id, ({ delivered, pending }) => delivered === 1 && pending === 0)
  const { payload } = await verified(self, http.pushed.at(-1)?.body ?? '')
  t.match(payload, {
    sub_id: { format: 'opaque', id },
    events: {
      'https://schemas.openid.net/secevent/ssf/event-type/stream-updated': {
        status: 'enabled',
        reason: /missed/,
      },
    },
  })
  t.match((await self.app.inject('/metrics')).body, 'events_total{outcome="expired"} 1')
})

t.test(
  'events queue while a receiver is paused, and a full queue reports what it dropped',
  async (t) => {
    const self = await auth(t, { ...quick, EVENT_QUEUE_LENGTH: '2' })
    const http = await httpReceiver(t)
    const { id } = await receiver(self, http.url)
    const admin = await self.token()
    const path = `/v1/event-receivers/${id}`
    t.match((await self.api(admin, 'PATCH', path, { status: 'paused' })).json(), {
      status: 'paused',
    })
    const ids = []
    for (const subject of ['ann', 'bob', 'eve']) {
      ids.push(await revoked(self, { identity: 'admin', subject }))
    }
    await progress(self, id, ({ dropped }) => dropped === 1)
    t.equal(http.pushed.length, 0)
    await self.api(admin, 'PATCH', path, { status: 'enabled' })
    await http.at(3)
    const got = await Promise.all(
      http.pushed.map(async ({ body }) => (await verified(self, body)).payload),
    )
    t.same(got.flatMap(({ txn }) => (txn === undefined ? [] : [txn])).sort(), ids.slice(1).sort())
    t.equal(got.filter(({ txn }) => txn === undefined).length, 1, 'the notice of missed events')
  },
)

t.test('does not tell of a brief token that its own client revokes', async (t) => {
  const self = await auth(t)
  const http = await httpReceiver(t)
  await receiver(self, http.url)
  const { identity, registrationCode } = await self.identity(['publish:a'])
  const client = { client_id: identity, client_secret: registrationCode }
  const request = { grant_type: 'client_credentials', ...client, expires_in: '60' }
  const tokens = [request, request].map(async (fields) => {
    return (await self.form('/oauth/token', fields)).json().access_token
  })
  const [own = '', taken = ''] = await Promise.all(tokens)
  t.equal((await self.form('/oauth/revoke', { ...client, token: own })).statusCode, 200)
  const txn = await revoked(self, { token: taken })
  const { body } = await http.at(1)
  t.equal(
    (await verified(self, body)).payload['txn'],
    txn,
    'tells when an administrator revokes it',
  )
})

t.test('a receiver limited to some identities gets their events and those for all', async (t) => {
  const self = await auth(t)
  const http = await httpReceiver(t)
  const mine = await self.identity([])
  const other = await self.identity([])
  await receiver(self, http.url, { identities: [mine.identity] })
  const jtiOf = async (token: string) => JSON.parse(atob(token.split('.')[1] ?? '')).jti
  const myToken = await self.token(mine)
  await revoked(self, { token: await jtiOf(await self.token(other)) })
  await revoked(self, { identity: other.identity })
  const ids = [
    await revoked(self, { token: myToken }),
    await revoked(self, { identity: mine.identity }),
    await revoked(self, { all: true }),
  ]
  await http.at(3)
  const got = await Promise.all(
    http.pushed.map(async ({ body }) => (await verified(self, body)).payload),
  )
  t.same(got.map(({ txn }) => txn).sort(), ids.sort())
})

t.test('a receiver whose settings change is tried again at once', async (t) => {
  const self = await auth(t, { EVENT_RETRY_MS: '600000' })
  const wrong = await httpReceiver(t, () => 404)
  const right = await httpReceiver(t)
  const { id } = await receiver(self, wrong.url)
  await revoked(self, { identity: 'admin', subject: 'ann' })
  await progress(self, id, ({ lastFailure }) => lastFailure?.error === 'answered 404, not 202')
  const delivery = { method: pushMethod, endpoint_url: right.url }
  await self.api(await self.token(), 'PATCH', `/v1/event-receivers/${id}`, { delivery })
  await verified(self, (await right.at(1)).body)
})

t.test('a verification event is pushed with its state', async (t) => {
  const self = await auth(t)
  const http = await httpReceiver(t)
  const { id } = await receiver(self, http.url)
  const path = `/v1/event-receivers/${id}/verify`
  t.equal((await self.api(await self.token(), 'POST', path, { state: 'abc' })).statusCode, 204)
  const { payload } = await verified(self, (await http.at(1)).body)
  t.match(payload, {
    sub_id: { format: 'opaque', id },
    events: { [verificationEvent]: { state: 'abc' } },
  })
})
