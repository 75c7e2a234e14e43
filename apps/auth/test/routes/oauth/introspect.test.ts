import fc from 'fast-check'
import t from 'tap'
import { introspect } from '../../../src/tokens/introspect.js'
import { type Auth, auth } from '../../fixtures/auth.js'
import { hmac, part, signed, testKey } from '../../fixtures/forge.js'

const inactive = '{"active":false}'

/** Returns tokens that are not active, by reason. */
async function inactiveTokens({ api, token, tokenWith, identity, app }: Auth) {
  const admin = await token()
  const revoked = await tokenWith('feed')
  await api(admin, 'POST', '/v1/revocations', { token: revoked })
  const suspended = await identity([])
  const suspendedToken = await token(suspended)
  await api(admin, 'POST', `/v1/identities/${suspended.identity}/suspend`)
  const deleted = await identity([])
  const deletedToken = await token(deleted)
  await api(admin, 'DELETE', `/v1/identities/${deleted.identity}`)
  const { kid } = app.tokens.keys.current
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid }
  const [, claims = ''] = admin.split('.')
  const payload = JSON.parse(Buffer.from(claims, 'base64url').toString())
  return {
    revoked,
    'of a suspended identity': suspendedToken,
    'of a deleted identity': deletedToken,
    malformed: 'x',
    'not a JWT': '!"§$%&/()=',
    forged: signed(testKey(kid), header, payload),
    'with an invented id': signed(testKey(kid), header, { ...payload, jti: `0-${'A'.repeat(22)}` }),
    'with the id of another identity': signed(testKey(kid), header, {
      ...payload,
      client_id: 'other',
    }),
    'HMAC with our public key': hmac(
      app.tokens.keys.find(kid)?.publicKey ?? '',
      { ...header, alg: 'HS256' },
      payload,
    ),
    unsigned: `${part({ ...header, alg: 'none' })}.${part(payload)}.`,
  }
}

t.test('describes an active token as RFC 7662 specifies', async (t) => {
  const { form, token } = await auth(t)
  const text = await token()
  const answer = await form(
    '/oauth/introspect',
    { token: text },
    { authorization: `Bearer ${text}` },
  )
  t.match(answer.json(), {
    active: true,
    client_id: 'admin',
    sub: 'admin',
    scope: 'admin',
    token_type: 'Bearer',
    iss: 'http://127.0.0.1:4000',
    aud: 'portcullis',
    issued_us: Number,
    labels: [],
  })
  t.equal(answer.headers['cache-control'], 'no-store')
})

t.test('returns the same response for every inactive token', async (t) => {
  const self = await auth(t)
  const authorization = `Bearer ${await self.tokenWith('introspect')}`
  for (const [reason, token] of Object.entries(await inactiveTokens(self))) {
    const answer = await self.form('/oauth/introspect', { token }, { authorization })
    t.equal(answer.statusCode, 200, reason)
    t.equal(answer.body, inactive, reason)
  }
})

t.test('returns inactive for an expired token', async (t) => {
  const self = await auth(t)
  const authorization = `Bearer ${await self.tokenWith('introspect')}`
  const token = await self.token(await self.identity([], { tokenTtlSeconds: 1 }))
  const ask = () => self.form('/oauth/introspect', { token }, { authorization })
  t.equal((await ask()).json().active, true)
  let answer = await ask()
  while (answer.json().active) {
    answer = await ask()
  }
  t.equal(answer.body, inactive)
})

t.test('requires a token or credentials with the scope introspect', async (t) => {
  const { form, tokenWith, token, identity } = await auth(t)
  const text = await token()
  const ask = (headers: Record<string, string>, more = {}) =>
    form('/oauth/introspect', { token: text, ...more }, headers)
  const asker = await identity(['introspect'])
  const other = await identity(['feed'])
  const credentials = (of: typeof asker) => ({
    client_id: of.identity,
    client_secret: of.registrationCode,
  })
  t.equal((await ask({}, credentials(asker))).json().active, true)

  const none = await ask({})
  t.equal(none.statusCode, 401)
  t.match(none.headers['www-authenticate'], /^Basic /)
  t.equal((await ask({}, { ...credentials(asker), client_secret: 'wrong' })).statusCode, 401)
  t.equal(
    (await ask({}, credentials(other))).statusCode,
    403,
    'rejects credentials without the scope',
  )

  const lacking = await ask({ authorization: `Bearer ${await tokenWith('feed')}` })
  t.equal(lacking.statusCode, 403)
  t.match(lacking.json(), { error: 'insufficient_scope', error_description: /introspect/ })
  t.match(lacking.headers['www-authenticate'], 'scope="introspect"')

  const bad = await ask({ authorization: 'Bearer nonsense' })
  t.equal(bad.statusCode, 401)
  t.match(bad.headers['www-authenticate'], /^Bearer .*error="invalid_token"/)
  const both = await ask({ authorization: `Bearer ${text}` }, credentials(asker))
  t.equal(both.statusCode, 400)
})

t.test('returns the results of a batch in order', async (t) => {
  const self = await auth(t)
  const caller = await self.tokenWith('introspect')
  const ann = await self.tokenWith('feed')
  const bob = await self.tokenWith('nodes:read')
  const bad = Object.values(await inactiveTokens(self))
  const tokens = [bob, ...bad, ann, bob, ann]
  const answer = await self.api(caller, 'POST', '/v1/introspections', { tokens })
  t.equal(answer.statusCode, 200)
  const scopes = answer.json().results.map((one: { scope?: string }) => one.scope)
  const none = bad.map(() => undefined)
  t.same(scopes, ['nodes:read', ...none, 'feed', 'nodes:read', 'feed'])
  for (const one of answer.json().results.slice(1, 1 + bad.length)) {
    t.equal(JSON.stringify(one), inactive)
  }
})

t.test('accepts a batch of 256 tokens of the maximum length', async (t) => {
  const self = await auth(t)
  const caller = await self.tokenWith('introspect')
  const longest = Array.from({ length: 256 }, () => 'x'.repeat(4096))
  const answer = await self.api(caller, 'POST', '/v1/introspections', { tokens: longest })
  t.equal(answer.statusCode, 200)
  t.equal(answer.json().results.length, 256)
  const more = [...longest, 'x'.repeat(4096)]
  const tooMany = await self.api(caller, 'POST', '/v1/introspections', { tokens: more })
  t.equal(tooMany.statusCode, 413, tooMany.body)
  for (const tokens of [[], more.map(() => 'x'), ['x'.repeat(4097)], [''], [1], 'x', undefined]) {
    t.equal(
      (await self.api(caller, 'POST', '/v1/introspections', { tokens })).statusCode,
      400,
      JSON.stringify(tokens)?.slice(0, 40),
    )
  }
})

t.test('does not look up tokens with an id that auth did not make', async (t) => {
  const self = await auth(t)
  const caller = await self.tokenWith('introspect')
  const { revoked: _, ...all } = await inactiveTokens(self)
  const forged = [
    all.malformed,
    all.unsigned,
    all['HMAC with our public key'],
    all['with an invented id'],
    all['with the id of another identity'],
  ]
  const genuine = await self.token()
  const { redis } = self.app.registry
  let commands = 0
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (...args: Parameters<typeof redis.sendCommand>) => {
    // Ignore auth's own commands: leases, signing keys, the audit log.
    if (/:(?:token|identity|cutoffs?)[:-]/.test(String(args[0].args))) {
      commands += 1
    }
    return Reflect.apply(send, redis, args)
  }
  const count = async (tokens: string[]) => {
    commands = 0
    await self.api(caller, 'POST', '/v1/introspections', { tokens })
    return commands
  }
  t.equal(await count(forged), 1, 'looks up the caller only')
  t.equal(
    await count([genuine, ...forged, genuine, genuine]),
    1,
    'knows the caller, and looks up all others at once',
  )
})

t.test('returns inactive for a revoked token at once, at every instance', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const caller = await self.token()
  const victim = await self.tokenWith('feed')
  const active = async (instance: Auth) => {
    const answer = await instance.api(caller, 'POST', '/v1/introspections', { tokens: [victim] })
    return answer.json().results[0].active
  }
  for (let n = 0; n < 3; n++) {
    t.same([await active(self), await active(other)], [true, true])
  }
  await other.api(caller, 'POST', '/v1/revocations', { token: victim })
  t.same([await active(self), await active(other)], [false, false])
})

t.test('looks up a repeated token once, and returns a result for each', async (t) => {
  const self = await auth(t)
  const [admin, other] = [await self.token(), await self.tokenWith('feed')]
  const { tokens: jwt } = self.app
  const decoded: string[] = []
  const counting: typeof jwt = {
    ...jwt,
    decode(text) {
      decoded.push(text)
      return jwt.decode(text)
    },
  }
  const named = [admin, 'x', other, ...Array(100).fill(admin), 'x', other]
  const answers = await introspect(self.app.registry, counting, named)
  t.same(decoded, [admin, 'x', other])
  t.same(
    answers.map((active) => active?.claims.client_id),
    named.map((token) =>
      token === admin ? 'admin' : answers[token === other ? 2 : 1]?.claims.client_id,
    ),
  )
  t.equal(answers[1], undefined)
  const { results } = (
    await self.api(admin, 'POST', '/v1/introspections', { tokens: named })
  ).json()
  t.same(
    results.map(({ active }: { active: boolean }) => active),
    named.map((token) => token !== 'x'),
  )
})

t.test('verifies no signature', async (t) => {
  const self = await auth(t)
  const token = await self.token()
  const unsigning: typeof self.app.tokens = {
    ...self.app.tokens,
    library() {
      throw new Error('a signature was verified')
    },
  }
  const [h = '', p = ''] = token.split('.')
  const answers = await introspect(self.app.registry, unsigning, [token, `${h}.${p}.`])
  t.same(answers.map(Boolean), [true, false])
})

t.test('returns inactive for every other spelling of a token', async (t) => {
  const self = await auth(t)
  const { registry, tokens } = self.app
  const token = await self.token()
  const [h = '', p = '', s = ''] = token.split('.')
  // 64 bytes are 86 characters, the last of which has four unused bits.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const stray = alphabet[alphabet.indexOf(s.at(-1) ?? '') + 1]
  const spellings = {
    'stray bits': `${h}.${p}.${s.slice(0, -1)}${stray}`,
    padding: `${h}.${p}.${s}==`,
    'padding of the payload': `${h}.${p}=.${s}`,
    'a newline': `${h}.${p}.${s.slice(0, 9)}\n${s.slice(9)}`,
    'a leading space': ` ${token}`,
    'a trailing space': `${token} `,
    'base64 letters': `${h}.${p}.${s.replaceAll('-', '+').replaceAll('_', '/')}=`,
    'a fourth part': `${token}.x`,
    'an empty fourth part': `${token}.`,
    'no signature': `${h}.${p}.`,
    'another signature': `${h}.${p}.${'A'.repeat(86)}`,
  }
  for (const [name, text] of Object.entries(spellings)) {
    const [changed, genuine] = await introspect(registry, tokens, [text, token])
    t.equal(changed, undefined, name)
    t.ok(genuine)
  }
  const ways = fc.asyncProperty(
    fc.nat(token.length - 1),
    fc.string({ maxLength: 1 }),
    async (at, text) => {
      const changed = token.slice(0, at) + text + token.slice(at + 1)
      const [found] = await introspect(registry, tokens, [changed])
      return changed === token || found === undefined
    },
  )
  await t.resolves(fc.assert(ways))
})
