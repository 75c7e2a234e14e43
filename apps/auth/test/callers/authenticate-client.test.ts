import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'
import { claims, clientKey } from '../fixtures/client-key.js'

const grant = { grant_type: 'client_credentials' }

/** Requests a token, from an address in X-Forwarded-For. */
function ask(self: Auth, identity: string, code: string, address = '10.0.0.1') {
  return self.form(
    '/oauth/token',
    { ...grant, client_id: identity, client_secret: code },
    { 'x-forwarded-for': address },
  )
}

const behindProxy = { TRUST_PROXY: '127.0.0.1' }

t.test(
  'makes callers with wrong codes wait at every instance, and never one with a valid code',
  async (t) => {
    const self = await auth(t, { ...behindProxy, WRONG_CODE_WAIT_MS: '30000' })
    const other = await self.another()
    for (const instance of [self, other, self, other, self]) {
      t.equal((await ask(instance, 'admin', 'wrong')).statusCode, 401)
    }
    for (const instance of [self, other]) {
      const answer = await ask(instance, 'admin', 'wrong')
      t.equal(answer.statusCode, 429)
      t.match(answer.json(), { error: 'temporarily_unavailable', error_description: /wait/ })
      const seconds = Number(answer.headers['retry-after'])
      t.ok(seconds > 0 && seconds <= 30, `${seconds} s`)
    }
    t.equal((await ask(other, 'admin', 'wrong', '10.0.0.2')).statusCode, 401)
    t.equal((await ask(other, 'admin', self.admin.registrationCode)).statusCode, 200)
  },
)

t.test('answers for an unknown identity as for a known one', async (t) => {
  const self = await auth(t, { ...behindProxy, WRONG_CODES_ALLOWED: '2' })
  const responsesTo = async (identity: string) => {
    const responses = []
    for (let n = 0; n < 3; n++) {
      const { statusCode, headers, body } = await ask(self, identity, 'wrong')
      const { date: _date, ...others } = headers
      responses.push({ statusCode, headers: others, body })
    }
    return responses
  }
  const known = await responsesTo('admin')
  t.same(
    known.map(({ statusCode }) => statusCode),
    [401, 401, 429],
  )
  t.same(await responsesTo('unknown'), known)
})

t.test('counts failures of an address at all instances together, for any identity', async (t) => {
  const self = await auth(t, { ...behindProxy, TOKEN_FAILURES_PER_MINUTE: '3' })
  const other = await self.another()
  for (const [instance, name] of [
    [self, 'a'],
    [other, 'b'],
    [self, 'c'],
  ] as const) {
    t.equal((await ask(instance, name, 'wrong')).statusCode, 401)
  }
  const { redis } = self.app.registry
  const counters = () => redis.keys(`*${self.prefix}*wrong-codes:*`)
  const before = await counters()
  for (const name of ['admin', 'd']) {
    const answer = await ask(other, name, 'wrong')
    t.match(answer.json(), { error: 'temporarily_unavailable', error_description: /wait/ })
    t.equal(answer.statusCode, 429)
    t.match(answer.headers['retry-after'], /^[1-9]/)
  }
  t.same(await counters(), before, 'writes nothing to Redis for failures beyond the limit')
  t.equal((await ask(other, 'a', 'wrong', '10.0.0.2')).statusCode, 401)
})

t.test(
  'never rejects valid credentials because of other failures at the same address',
  async (t) => {
    const self = await auth(t, { ...behindProxy, TOKEN_FAILURES_PER_MINUTE: '2' })
    const node = await self.identity(['introspect', 'feed'])
    const key = await clientKey()
    const backend = await self.identity(['introspect'], { jwks: { keys: [key.jwk] } })
    const guesses = (name: string) =>
      Promise.all(Array.from({ length: 40 }, (_, n) => ask(self, name, `wrong-${n}`)))
    for (const name of [node.identity, backend.identity, 'unknown']) {
      await guesses(name)
    }
    t.equal((await ask(self, node.identity, 'wrong')).statusCode, 429)
    t.equal(
      (await ask(self, node.identity, node.registrationCode)).statusCode,
      200,
      'accepts a code',
    )
    const assertion = await self.form(
      '/oauth/token',
      {
        ...grant,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await key.sign(claims(backend.identity)),
      },
      { 'x-forwarded-for': '10.0.0.1' },
    )
    t.equal(assertion.statusCode, 200, 'accepts an assertion')
    const { access_token: token } = assertion.json()
    for (const headers of [
      { authorization: `Bearer ${token}` },
      {
        authorization: `Basic ${Buffer.from(`${node.identity}:${node.registrationCode}`).toString('base64')}`,
      },
    ]) {
      const answer = await self.form(
        '/oauth/introspect',
        { token },
        { ...headers, 'x-forwarded-for': '10.0.0.1' },
      )
      t.match(answer.json(), { active: true }, 'accepts them at introspection too')
    }
  },
)

t.test('counts an IPv6 network of 64 bits as one address', async (t) => {
  const self = await auth(t, { ...behindProxy, TOKEN_FAILURES_PER_MINUTE: '1' })
  t.equal((await ask(self, 'a', 'wrong', '2001:db8::1')).statusCode, 401)
  t.equal((await ask(self, 'a', 'wrong', '2001:db8::ffff:1')).statusCode, 429)
  t.equal((await ask(self, 'a', 'wrong', '2001:db8:0:1::1')).statusCode, 401)
  t.equal((await ask(self, 'b', 'wrong', '10.0.0.1')).statusCode, 401)
  t.equal((await ask(self, 'b', 'wrong', '::ffff:10.0.0.1')).statusCode, 429)
})
