import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'

const unknown = '0-AAAAAAAAAAAAAAAAAAAAAA'

/** Returns which of these tokens are active. */
async function active({ api, token }: Auth, tokens: string[]): Promise<boolean[]> {
  // A new token, which no revocation covers.
  const answer = await api(await token(), 'POST', '/v1/introspections', { tokens })
  return answer.json().results.map((one: { active: boolean }) => one.active)
}

t.test('revokes exactly the tokens of each selector', async (t) => {
  const self = await auth(t)
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const backend = await self.token(shop)
  const other = await self.tokenWith('feed')
  const revoker = () => self.tokenWith('tokens:revoke')
  const issue = async (subject: string, label: string) => {
    const answer = await self.api(backend, 'POST', '/v1/tokens', { subject, labels: [label] })
    return answer.json()
  }
  const one = await issue('ann', 'phone')
  const two = await issue('ann', 'laptop')
  const three = await issue('bob', 'phone')
  const four = await issue('eve', 'tv')
  const tokens = [one, two, three, four].map((issued) => issued.access_token)
  const { identity } = shop
  const steps: [object, number, boolean[]][] = [
    [{ jti: one.jti }, 1, [false, true, true, true]],
    [{ identity, label: 'phone' }, 1, [false, true, false, true]],
    [{ identity, subject: 'ann' }, 1, [false, false, false, true]],
    [{ identity }, 2, [false, false, false, false]],
  ]
  for (const [body, count, left] of steps) {
    const dry = await self.api(await revoker(), 'POST', '/v1/revocations', {
      ...body,
      dryRun: true,
    })
    t.equal(dry.statusCode, 200)
    t.same(dry.json(), { dryRun: true, tokens: count }, 'counts without revoking')
    const done = await self.api(await revoker(), 'POST', '/v1/revocations', {
      ...body,
      reason: 'x',
    })
    t.equal(done.statusCode, 201)
    t.match(done.json(), { tokens: count, complete: true, nodes: [], reason: 'x' })
    t.same(await active(self, tokens), left, JSON.stringify(body))
    const shown = await self.api(await revoker(), 'GET', done.headers.location ?? '')
    t.same(shown.json(), done.json())
  }
  t.same(await active(self, [other]), [true])
  await self.api(await revoker(), 'POST', '/v1/revocations', { all: true })
  t.same(await active(self, [other]), [false])
})

t.test('revokes the tokens that a token has issued with cascade, and records it', async (t) => {
  const self = await auth(t)
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const backend = await self.token(shop)
  const issue = async (caller: string, scope: string) =>
    (await self.api(caller, 'POST', '/v1/tokens', { subject: 'ann', scope })).json().access_token
  const child = await issue(backend, 'tokens:issue subscribe:a')
  const tokens = [backend, child, await issue(child, 'subscribe:a'), await self.token(shop)]
  const admin = await self.token()
  const body = { token: backend, cascade: true }
  const dry = await self.api(admin, 'POST', '/v1/revocations', { ...body, dryRun: true })
  t.same(dry.json(), { dryRun: true, tokens: 3 })
  const done = await self.api(admin, 'POST', '/v1/revocations', body)
  t.equal(done.statusCode, 201)
  t.match(done.json(), { tokens: 3, selector: { jti: /^0-/, cascade: true } })
  t.same(await active(self, tokens), [false, false, false, true])
  const { entries } = (await self.api(admin, 'GET', '/v1/audit?action=revocation.create')).json()
  const { jti } = done.json().selector
  t.match(entries[0], { target: { jti }, detail: { cascade: true, tokens: 3 } })
  t.notOk('cascade' in entries[0].target)

  const wrong = [
    { identity: 'x', cascade: true },
    { all: true, cascade: true },
    { cascade: true },
    { token: jti, cascade: false },
  ]
  for (const each of wrong) {
    t.equal((await self.api(admin, 'POST', '/v1/revocations', each)).statusCode, 400)
  }
})

t.test('revokes a token by its text, also after it has expired', async (t) => {
  const self = await auth(t)
  const token = await self.tokenWith('feed')
  const brief = await self.token(await self.identity(['nodes:read'], { tokenTtlSeconds: 1 }))
  const admin = await self.token()
  const done = await self.api(admin, 'POST', '/v1/revocations', { token })
  t.equal(done.statusCode, 201)
  t.notOk(done.body.includes(token), 'does not repeat the text')
  t.match(done.json().selector, { jti: /^0-/ })
  while ((await self.api(brief, 'GET', '/v1/nodes')).statusCode === 200) {}
  t.equal((await self.api(admin, 'POST', '/v1/revocations', { token: brief })).statusCode, 201)

  const tampered = `${token.slice(0, -8)}AAAAAAAA`
  const forged = await self.api(admin, 'POST', '/v1/revocations', { token: tampered })
  t.equal(forged.statusCode, 400)
  t.match(forged.json().detail, /token must be a token of this issuer, or its jti/)
  t.notOk(forged.body.includes(tampered.slice(-20)))
})

t.test('requires exactly one selector and lists them in the error', async (t) => {
  const { api, token } = await auth(t)
  const admin = await token()
  const wrong = [
    {},
    { reason: 'x' },
    { token: unknown, identity: 'x' },
    { token: unknown, all: true },
    { identity: 'x', all: true },
    { identity: 'x', subject: 'a', label: 'b' },
    { subject: 'a' },
    { label: 'b' },
    { all: true, label: 'b' },
    { token: unknown, subject: 'a' },
    { all: false },
    { all: 'true' },
    { identity: 'x', surprise: 1 },
    { identity: 'x', wait: -1 },
    { identity: 'x', wait: 60_001 },
    { identity: 'x', dryRun: 'yes' },
    { identity: '*' },
    { identity: 'x', issuedBefore: 4_000_000_000_000 },
  ]
  for (const body of wrong) {
    const answer = await api(admin, 'POST', '/v1/revocations', body)
    t.equal(answer.statusCode, 400, JSON.stringify(body))
    t.type(answer.json().code, 'string')
  }
  const none = await api(admin, 'POST', '/v1/revocations', {})
  t.match(none.json().detail, /exactly one selector: token or jti; identity; .* all/)
})

t.test('refuses times in seconds and in microseconds, wherever a request has one', async (t) => {
  const { api, token } = await auth(t)
  const asAdmin = await token()
  for (const time of [Math.floor(Date.now() / 1000), Date.now() * 1000]) {
    const answers = [
      await api(asAdmin, 'POST', '/v1/revocations', { all: true, issuedBefore: time }),
      await api(asAdmin, 'POST', '/v1/revocations', {
        all: true,
        issuedBefore: time,
        dryRun: true,
      }),
      await api(asAdmin, 'GET', `/v1/tokens?issuedAfter=${time}`),
      await api(asAdmin, 'GET', `/v1/tokens?issuedBefore=${time}`),
      await api(asAdmin, 'GET', `/v1/tokens?expiresBefore=${time}`),
      await api(asAdmin, 'GET', `/v1/audit?from=${time}`),
      await api(asAdmin, 'GET', `/v1/audit?to=${time}`),
    ]
    for (const answer of answers) {
      t.equal(answer.statusCode, 400)
      t.match(answer.json().detail, /must be at (least|most) \d+ \(Unix time in milliseconds/)
    }
  }
  t.equal((await api(asAdmin, 'GET', '/v1/nodes')).statusCode, 200, 'nothing was revoked')
})

t.test('does not revoke tokens issued after issuedBefore', async (t) => {
  const self = await auth(t)
  const shop = await self.identity([])
  const before = await self.token(shop)
  const info = await self.api(await self.token(), 'GET', `/v1/tokens?identity=${shop.identity}`)
  const [{ issuedAt }] = info.json().tokens
  while (Date.now() <= issuedAt + 1) {}
  const after = await self.token(shop)
  const body = { identity: shop.identity, issuedBefore: issuedAt + 1 }
  const dry = await self.api(await self.token(), 'POST', '/v1/revocations', {
    ...body,
    dryRun: true,
  })
  t.equal(dry.json().tokens, 1)
  const done = await self.api(await self.token(), 'POST', '/v1/revocations', body)
  t.equal(done.json().tokens, 1)
  t.same(await active(self, [before, after]), [false, true])
})

t.test('lists receipts newest first, and returns 404 for an unknown one', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const ids: string[] = []
  for (let n = 0; n < 3; n++) {
    const done = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x' })
    ids.unshift(done.json().id)
  }
  const reader = await self.tokenWith('tokens:read')
  const first = await self.api(reader, 'GET', '/v1/revocations?limit=2')
  const { cursor } = first.json()
  const second = await self.api(reader, 'GET', `/v1/revocations?limit=2&cursor=${cursor}`)
  const listed = [...first.json().revocations, ...second.json().revocations]
  t.same(
    listed.map((one: { id: string }) => one.id),
    ids,
  )
  t.notHas(second.json(), 'cursor')
  const missing = await self.api(reader, 'GET', `/v1/revocations/${unknown}`)
  t.equal(missing.json().code, 'revocation_not_found')
  t.equal((await self.api(reader, 'POST', '/v1/revocations', { all: true })).statusCode, 403)
})
