import { once } from 'node:events'
import type { AuditEntry } from '@portcullis/contracts/audit'
import t from 'tap'
import { WebSocket } from 'ws'
import { type Auth, auth } from '../../fixtures/auth.js'
import { listen } from '../../fixtures/node.js'

/** Returns the entries after a position, oldest first. Reading adds no entry. */
async function after(self: Auth, admin: string, id: string): Promise<AuditEntry[]> {
  const answer = await self.api(admin, 'GET', `/v1/audit?after=${id}&limit=1000`)
  if (answer.statusCode !== 200) {
    throw new Error(answer.body)
  }
  return answer.json().entries
}

async function newest(self: Auth, admin: string): Promise<string> {
  const [entry] = (await self.api(admin, 'GET', '/v1/audit?limit=1')).json().entries
  return entry.id
}

const id = { revocation: /^0-/, jti: /^0-/ }

t.test('records each act in one entry with actor, action, address and result', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const [{ jti = '' } = {}] = (await self.api(admin, 'GET', '/v1/tokens?identity=admin')).json()
    .tokens
  const by = { identity: 'admin', subject: 'admin', jti }
  const path = '/v1/identities/shop'
  const codes = `${path}/registration-codes`

  /** Runs the act, and returns the one entry that it adds. */
  const entryOf = async (act: () => ReturnType<Auth['api']>): Promise<AuditEntry> => {
    const before = await newest(self, admin)
    const answer = await act()
    const entries = await after(self, admin, before)
    t.equal(entries.length, 1, `adds one entry: ${JSON.stringify(entries)}`)
    const [entry] = entries
    if (entry === undefined) {
      throw new Error('no entry')
    }
    t.equal(entry.status, answer.statusCode)
    t.equal(entry.address, '127.0.0.1')
    t.match(entry.requestId, /^[0-9a-f-]{36}$/)
    t.ok(Math.abs(entry.at - Date.now()) < 60_000)
    return entry
  }

  const body = { identity: 'shop', scopes: ['subscribe:a', 'tokens:issue'] }
  let code = ''
  t.match(
    await entryOf(async () => {
      const answer = await self.api(admin, 'POST', '/v1/identities', body)
      code = answer.json().registrationCode
      return answer
    }),
    {
      action: 'identity.register',
      result: 'ok',
      status: 201,
      actor: by,
      target: { identity: 'shop' },
      detail: { scopes: 'subscribe:a tokens:issue' },
    },
  )
  t.match(await entryOf(() => self.api(admin, 'PATCH', path, { scopes: body.scopes })), {
    action: 'identity.change',
    target: { identity: 'shop' },
    detail: { scopes: 'subscribe:a tokens:issue' },
  })
  const added = await entryOf(() => self.api(admin, 'POST', codes))
  t.match(added, { action: 'code.add', target: { identity: 'shop', code: String } })
  t.match(await entryOf(() => self.api(admin, 'DELETE', `${codes}/${added.target?.code}`)), {
    action: 'code.remove',
    actor: by,
    target: { identity: 'shop', code: added.target?.code },
  })
  let backend = ''
  const credentials = { client_id: 'shop', client_secret: code }
  const own = await entryOf(async () => {
    const answer = await self.form('/oauth/token', {
      grant_type: 'client_credentials',
      ...credentials,
    })
    backend = answer.json().access_token
    return answer
  })
  t.match(own, {
    action: 'token.issue',
    result: 'ok',
    actor: { identity: 'shop' },
    target: { jti: id.jti },
    detail: { scope: 'subscribe:a tokens:issue' },
  })
  t.notHas(own.actor, 'claimed')
  t.match(await entryOf(() => self.api(backend, 'POST', '/v1/tokens', { subject: 'ann' })), {
    action: 'token.issue',
    actor: { identity: 'shop', subject: 'shop', jti: own.target?.jti },
    target: { subject: 'ann', jti: id.jti },
  })
  const revoked = await entryOf(() =>
    self.api(admin, 'POST', '/v1/revocations', { identity: 'shop', subject: 'ann' }),
  )
  t.match(revoked, {
    action: 'revocation.create',
    target: { identity: 'shop', subject: 'ann', revocation: id.revocation },
    detail: { tokens: 1 },
  })
  const dry = await entryOf(() =>
    self.api(admin, 'POST', '/v1/revocations', { all: true, dryRun: true }),
  )
  t.match(dry, { action: 'revocation.create', detail: { all: true, dryRun: true } })
  t.notHas(dry, 'target')
  t.match(await entryOf(() => self.api(admin, 'POST', '/v1/revocations', { token: backend })), {
    target: { jti: own.target?.jti },
  })
  t.match(await entryOf(() => self.api(admin, 'POST', `${path}/suspend`)), {
    action: 'identity.suspend',
    target: { identity: 'shop', revocation: id.revocation },
  })
  t.match(await entryOf(() => self.api(admin, 'POST', `${path}/resume`)), {
    action: 'identity.resume',
  })
  t.match(await entryOf(() => self.api(admin, 'GET', '/v1/audit/export')), {
    action: 'audit.export',
    actor: by,
  })
  t.match(await entryOf(() => self.api(admin, 'DELETE', path)), {
    action: 'identity.delete',
    status: 204,
    target: { identity: 'shop', revocation: id.revocation },
  })
})

t.test('records each refused attempt in one entry, and nothing for other requests', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const shop = await self.identity(['subscribe:a'])
  const plain = await self.token(shop)
  const tried = async (attempt: () => Promise<unknown>): Promise<AuditEntry[]> => {
    const before = await newest(self, admin)
    await attempt()
    return after(self, admin, before)
  }
  const form = { grant_type: 'client_credentials', client_id: shop.identity }

  t.match(await tried(() => self.form('/oauth/token', { ...form, client_secret: 'wrong' })), [
    {
      action: 'token.issue',
      result: 'refused',
      status: 401,
      error: 'invalid_client',
      actor: { identity: shop.identity, claimed: true },
    },
  ])
  t.match(await tried(() => self.api(plain, 'GET', '/v1/identities')), [
    {
      action: 'identity.read',
      result: 'refused',
      error: 'insufficient_scope',
      actor: { identity: shop.identity, jti: id.jti },
    },
  ])
  t.match(await tried(() => self.api(plain, 'DELETE', '/v1/identities/admin')), [
    { action: 'identity.delete', status: 403, target: { identity: 'admin' } },
  ])
  const [forged = {}] = await tried(() => self.api(`${plain}x`, 'GET', '/v1/nodes'))
  t.match(forged, { action: 'node.read', status: 401, error: 'invalid_token' })
  t.notHas(forged, 'actor', 'has no actor for a forged token')
  t.match(await tried(() => self.api(undefined, 'POST', '/v1/revocations', { all: true })), [
    { action: 'revocation.create', status: 401, error: 'invalid_token' },
  ])
  t.match(await tried(() => self.form('/oauth/introspect', { token: 'x' })), [
    { action: 'token.introspect', error: 'invalid_client' },
  ])
  t.match(
    await tried(() => self.api(admin, 'POST', '/v1/identities', { identity: 'admin', scopes: [] })),
    [{ action: 'identity.register', error: 'identity_exists', target: { identity: 'admin' } }],
  )
  t.match(await tried(() => self.api(admin, 'POST', '/v1/revocations', { all: true, x: 1 })), [
    { action: 'revocation.create', status: 400, error: 'invalid_request' },
  ])
  const url = `${(await listen(self)).replace('http', 'ws')}/v1/feed`
  const upgrade = () => once(new WebSocket(url), 'unexpected-response')
  t.match(await tried(upgrade), [{ action: 'feed.open', status: 401 }], 'records a refused upgrade')

  await self.api(admin, 'POST', '/v1/revocations', { token: plain })
  t.match(await tried(() => self.api(plain, 'GET', '/v1/nodes')), [
    { error: 'invalid_token', actor: { identity: shop.identity, jti: id.jti, claimed: true } },
  ])
  for (const [method, url] of [
    ['GET', '/v1/nowhere'],
    ['PUT', '/v1/identities'],
    ['GET', '/v1/identities/unknown'],
    ['GET', '/v1/audit?limit=0'],
    ['GET', '/v1/nodes'],
    ['GET', '/health'],
  ] as const) {
    t.same(await tried(() => self.api(admin, method, url)), [], `${method} ${url}`)
  }
  t.same(await tried(() => self.api(admin, 'POST', '/v1/introspections', { tokens: ['x'] })), [])
})

t.test('summarises a flood of unauthenticated attempts without losing other entries', async (t) => {
  const self = await auth(t, { AUDIT_MAX_LENGTH: '6', TRUST_PROXY: '127.0.0.1' })
  const plain = await self.tokenWith('subscribe:a')
  const admin = await self.token()
  const from = (address: string, headers: object = {}) =>
    self.app.inject({
      url: '/v1/tokens',
      headers: { ...headers, 'x-forwarded-for': address },
    })
  await from('203.0.113.1', { authorization: `Bearer ${plain}` })
  await from('203.0.113.2')
  for (let n = 0; n < 50; n += 1) {
    await from('203.0.113.3', { authorization: `Bearer x${n}` })
  }
  for (let n = 0; n < 3; n += 1) {
    await from('203.0.113.1', { authorization: `Bearer ${plain}` })
  }
  const refused = async (at: Auth) =>
    (await at.api(admin, 'GET', '/v1/audit?result=refused')).json().entries as AuditEntry[]
  const proven = { error: 'insufficient_scope', address: '203.0.113.1' }
  const unproven = (address: string) => ({ error: 'invalid_token', status: 401, address })
  const singly = [proven, proven, proven, unproven('203.0.113.3'), unproven('203.0.113.2'), proven]
  t.match(await refused(self), singly)
  const other = await self.another()
  await self.app.close()
  const [folded, ...rest] = await refused(other)
  t.match(folded, { ...unproven('203.0.113.3'), action: 'token.read', count: 49 })
  t.notHas(folded, 'requestId')
  t.match(rest, singly, 'keeps one entry for each refusal of an authenticated caller')
})

t.test('records the address that a trusted proxy names', async (t) => {
  const self = await auth(t, { TRUST_PROXY: '127.0.0.1' })
  const admin = await self.token()
  await self.app.inject({ url: '/v1/nodes', headers: { 'x-forwarded-for': '203.0.113.7' } })
  const { entries } = (await self.api(admin, 'GET', '/v1/audit?result=refused')).json()
  t.match(entries, [{ address: '203.0.113.7' }])
})

t.test('records no token, registration code or body', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const code = shop.registrationCode
  const backend = await self.token(shop)
  const issued = await self.api(backend, 'POST', '/v1/tokens', { subject: 'ann', labels: ['lab'] })
  const user = issued.json().access_token
  const path = `/v1/identities/${shop.identity}`
  const added = (await self.api(admin, 'POST', `${path}/registration-codes`)).json()
  // Places where people put them by mistake.
  const form = { grant_type: 'client_credentials' }
  await self.form('/oauth/token', { ...form, client_id: code, client_secret: shop.identity })
  await self.form('/oauth/token', { ...form, client_id: user, client_secret: 'x' })
  await self.form('/oauth/token', { ...form, scope: code, client_id: 'shop', client_secret: code })
  await self.form('/oauth/introspect', {
    token: user,
    client_id: shop.identity,
    client_secret: 'x',
  })
  for (const name of [code, user, user.split('.')[2]]) {
    await self.api(admin, 'DELETE', `/v1/identities/${name}`)
    await self.api(user, 'GET', `/v1/identities/${name}`)
    await self.api(admin, 'DELETE', `${path}/registration-codes/${name}`)
    await self.api(backend, 'POST', '/v1/tokens', { subject: name, scope: 'admin' })
    await self.api(admin, 'POST', '/v1/revocations', { token: `${name}x` })
    await self.api(admin, 'GET', `/v1/audit?access_token=${name}`)
  }
  await self.api(admin, 'POST', '/v1/revocations', { token: user, reason: 'a reason' })
  const exported = (await self.api(admin, 'GET', '/v1/audit/export')).body
  t.ok(exported.split('\n').length > 15)
  t.match(exported, issued.json().jti)
  const secrets = [admin, backend, user].flatMap((token) => token.split('.'))
  for (const secret of [...secrets, code, added.registrationCode, self.admin.registrationCode]) {
    t.notOk(exported.includes(secret), `${secret.slice(0, 6)}…`)
  }
  t.notMatch(exported, /a reason|"lab"|Bearer|client_secret/)
})
