import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { hello, node } from '../../fixtures/node.js'

type Client = Awaited<ReturnType<Auth['identity']>>

function revoke({ form }: Auth, { identity, registrationCode }: Client, fields: object) {
  const form_ = { client_id: identity, client_secret: registrationCode, ...fields }
  return form('/oauth/revoke', form_)
}

async function isActive(self: Auth, token: string): Promise<boolean> {
  const admin = await self.token()
  const answer = await self.api(admin, 'POST', '/v1/introspections', { tokens: [token] })
  return answer.json().results[0].active
}

t.test("revokes a client's own token, with a receipt and an event on the feed", async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const listener = await node(t, other, await self.tokenWith('feed'))
  listener.send(hello('n'))
  await listener.welcome()
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const backend = await self.token(shop)
  const issued = await self.api(backend, 'POST', '/v1/tokens', { subject: 'ann' })
  const { access_token: token, jti } = issued.json()

  const answer = await revoke(self, shop, { token, token_type_hint: 'refresh_token' })
  t.equal(answer.statusCode, 200)
  t.equal(answer.body, '')
  t.match(answer.headers, { 'cache-control': 'no-store', pragma: 'no-cache' })
  t.equal(await isActive(self, token), false)
  t.equal(await isActive(self, backend), true, 'revokes no other token')
  const [id] = await listener.events(1)
  const receipt = await self.api(await self.token(), 'GET', `/v1/revocations/${id}`)
  t.match(receipt.json(), { selector: { jti }, tokens: 1, nodes: [{ node: 'n' }] })
  const { body } = await self.app.inject('/metrics')
  t.match(body, 'portcullis_auth_revocations_total{selector="jti"} 1')
})

t.test('also revokes the tokens that it has issued (RFC 7009 §2.1)', async (t) => {
  const self = await auth(t)
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const [backend, another] = [await self.token(shop), await self.token(shop)]
  const issue = async (caller: string) =>
    (await self.api(caller, 'POST', '/v1/tokens', { subject: 'ann' })).json().access_token
  const [child, other] = [await issue(backend), await issue(another)]
  t.equal((await revoke(self, shop, { token: backend })).statusCode, 200)
  t.equal(await isActive(self, child), false)
  const listed = await self.api(await self.token(), 'GET', '/v1/revocations')
  t.match(listed.json().revocations, [{ selector: { cascade: true }, tokens: 2 }])
  t.equal(
    await isActive(self, other),
    true,
    'does not revoke a token that another token has issued',
  )
})

t.test("lists the revocation of a client's own token unless the token was brief", async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const listener = await node(t, other, await self.tokenWith('feed'))
  listener.send(hello('n'))
  await listener.welcome()
  const shop = await self.identity(['tokens:issue', 'subscribe:a', 'publish:a'])
  const admin = await self.token()
  const brief = await briefToken(self, shop, { expires_in: '60', scope: 'publish:a' })
  t.equal((await revoke(self, shop, { token: brief })).statusCode, 200)
  t.equal(await isActive(self, brief), false)
  const [id] = await listener.events(1)
  const receipt = await self.api(admin, 'GET', `/v1/revocations/${id}`)
  t.match(receipt.json(), { id, tokens: 1, nodes: [{ node: 'n' }] }, 'has a receipt all the same')
  t.same((await self.api(admin, 'GET', '/v1/revocations')).json().revocations, [])
  const audit = async () =>
    (await self.api(admin, 'GET', `/v1/audit?actor=${shop.identity}`)).json().entries
  t.match(await audit(), [{ action: 'token.issue', detail: { scope: 'publish:a' } }])
  t.equal((await audit()).length, 1, 'the session of a command is one entry')

  const issuer = await briefToken(self, shop, { expires_in: '60' })
  const issued = await self.api(issuer, 'POST', '/v1/tokens', { subject: 'ann' })
  const long = await briefToken(self, shop, { expires_in: '61' })
  for (const token of [issued.json().access_token, long]) {
    await revoke(self, shop, { token })
  }
  const { revocations } = (await self.api(admin, 'GET', '/v1/revocations')).json()
  t.equal(revocations.length, 2, "lists a user's token, and one of more than a minute")
  const acts = await audit()
  t.equal(acts.filter(({ action }: { action: string }) => action === 'revocation.create').length, 2)
  await revoke(self, shop, { token: issuer })
  t.equal(await isActive(self, issued.json().access_token), false, 'with what it has issued')
})

async function briefToken(self: Auth, client: Client, fields: object): Promise<string> {
  const answer = await self.form('/oauth/token', {
    grant_type: 'client_credentials',
    client_id: client.identity,
    client_secret: client.registrationCode,
    ...fields,
  })
  return answer.json().access_token
}

t.test('answers 200 to unknown, expired and revoked tokens', async (t) => {
  const self = await auth(t)
  const shop = await self.identity([], { tokenTtlSeconds: 1 })
  const expired = await self.token(shop)
  while (await isActive(self, expired)) {}
  const revoked = await self.token(shop)
  const cases = { expired, revoked, again: revoked, unknown: 'x', long: 'x'.repeat(60_000) }
  for (const [name, token] of Object.entries(cases)) {
    const answer = await revoke(self, shop, { token })
    t.match([answer.statusCode, answer.body], [200, ''], name)
  }
})

t.test("rejects another client's token and does not revoke it", async (t) => {
  const self = await auth(t)
  const shop = await self.identity(['tokens:revoke'])
  const [mine, theirs] = [await self.token(shop), await self.tokenWith('feed')]
  const refused = async (token: string) => {
    const answer = await revoke(self, shop, { token })
    t.equal(answer.statusCode, 400)
    return answer.body
  }
  const bodyOfActive = await refused(theirs)
  t.equal(JSON.parse(bodyOfActive).error, 'unauthorized_client')
  t.equal(await isActive(self, theirs), true)
  await self.api(mine, 'POST', '/v1/revocations', { token: theirs })
  t.equal(await refused(theirs), bodyOfActive, 'returns the same for a revoked one')
})

t.test('requires client authentication and a token', async (t) => {
  const self = await auth(t)
  const shop = await self.identity([])
  const token = await self.token(shop)
  const none = await self.form('/oauth/revoke', { token })
  t.match([none.statusCode, none.json().error], [401, 'invalid_client'])
  t.match(none.headers['www-authenticate'], /^Basic /)
  const wrong = await revoke(self, { ...shop, registrationCode: 'wrong' }, { token })
  t.match([wrong.statusCode, wrong.json().error], [401, 'invalid_client'])
  const headers = { authorization: `Bearer ${token}` }
  t.equal(
    (await self.form('/oauth/revoke', { token }, headers)).statusCode,
    401,
    'does not accept a bearer token',
  )
  t.equal(await isActive(self, token), true)
  for (const fields of [{}, { token: '' }]) {
    const answer = await revoke(self, shop, fields)
    t.match([answer.statusCode, answer.json().error], [400, 'invalid_request'])
  }
})
