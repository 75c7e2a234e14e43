import { pollMethod, pushMethod } from '@portcullis/contracts/event-receivers'
import t from 'tap'
import { addEventReceiver } from '../../../src/registry/index.js'
import { auth } from '../../fixtures/auth.js'

const aud = 'https://shop.example/events'
const push = { method: pushMethod, endpoint_url: 'https://shop.example/events' }

t.test('lets administrators add, read, change and delete receivers', async (t) => {
  const self = await auth(t)
  const { identity } = await self.identity(['events:read'])
  const admin = await self.token()
  const order = { aud: [aud, 'other'], identities: ['shop'], identity, description: 'the shop' }
  const added = await self.api(admin, 'POST', '/v1/event-receivers', { ...order, delivery: push })
  t.equal(added.statusCode, 201)
  const { id } = added.json()
  const path = `/v1/event-receivers/${id}`
  t.equal(added.headers.location, path)
  t.match(added.json(), {
    ...order,
    iss: 'http://127.0.0.1:4000',
    status: 'enabled',
    createdAt: Number,
    delivery: { ...push, authorized: false },
    progress: { pending: 0, delivered: 0, refused: 0, expired: 0, dropped: 0, lost: 0 },
  })
  const shown = async () => (await self.api(admin, 'GET', path)).json()
  t.same(await shown(), added.json())
  const change = async (body: object) => (await self.api(admin, 'PATCH', path, body)).json()
  t.match(await change({ status: 'paused', description: null }), { status: 'paused', identity })
  const changed = await change({ identities: null, delivery: { method: pollMethod } })
  t.match(changed, {
    status: 'paused',
    delivery: { method: pollMethod, endpoint_url: `http://127.0.0.1:4000${path}/poll` },
  })
  for (const gone of ['identities', 'description']) {
    t.notOk(gone in changed)
  }
  t.same(await shown(), changed)
  const list = await self.api(admin, 'GET', '/v1/event-receivers')
  t.same(list.json(), { receivers: [changed] })

  const reader = await self.tokenWith('events:read', 'identities:write', 'tokens:revoke')
  for (const [method, url, body] of [
    ['POST', '/v1/event-receivers', { aud, delivery: push }],
    ['GET', '/v1/event-receivers', undefined],
    ['PATCH', path, { status: 'enabled' }],
    ['DELETE', path, undefined],
  ] as const) {
    t.equal((await self.api(reader, method, url, body)).statusCode, 403, `${method} ${url}`)
  }

  t.equal((await self.api(admin, 'DELETE', path)).statusCode, 204)
  for (const [method, url, body] of [
    ['GET', path, undefined],
    ['PATCH', path, { status: 'enabled' }],
    ['DELETE', path, undefined],
    ['POST', `${path}/verify`, {}],
    ['POST', `${path}/poll`, {}],
  ] as const) {
    const answer = await self.api(admin, method, url, body)
    t.match(answer.json(), { status: 404, code: 'receiver_not_found' }, `${method} ${url}`)
  }
  const { redis, prefix } = { redis: self.app.registry.redis, prefix: self.prefix }
  const left = (await redis.keys(`{${prefix}:*`)).filter((key) => key.includes(id))
  t.same(left, [], 'leaves no key in Redis')
})

t.test('rejects invalid receivers and names the wrong member', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const wrong: [object, RegExp][] = [
    [{ delivery: push }, /aud/],
    [{ aud: [], delivery: push }, /aud/],
    [{ aud }, /delivery/],
    [{ aud, delivery: { method: 'email' } }, /delivery/],
    [{ aud, delivery: { ...push, endpoint_url: 'http://shop.example/' } }, /https/],
    [{ aud, delivery: { ...push, endpoint_url: 'https://169.254.169.254/' } }, /link-local/],
    [{ aud, delivery: { ...push, authorization_header: 'a\r\nb: c' } }, /delivery/],
    [{ aud, delivery: { method: pollMethod } }, /identity/],
    [{ aud, delivery: push, identities: [] }, /identities/],
    [{ aud, delivery: push, surprise: 1 }, /surprise/],
  ]
  for (const [body, detail] of wrong) {
    const answer = await self.api(admin, 'POST', '/v1/event-receivers', body)
    t.match(answer.json(), { status: 400, code: 'invalid_request', detail }, JSON.stringify(body))
    t.notMatch(answer.body, 'b: c')
  }
  const unknown = { aud, delivery: { method: pollMethod }, identity: 'unknown' }
  t.match((await self.api(admin, 'POST', '/v1/event-receivers', unknown)).json(), {
    status: 404,
    code: 'identity_not_found',
  })
})

t.test('rejects the 33rd receiver', async (t) => {
  const self = await auth(t)
  const stored = { aud, delivery: { method: pollMethod } } as const
  for (let count = 0; count < 32; count += 1) {
    await addEventReceiver(self.app.registry, stored)
  }
  const admin = await self.token()
  const answer = await self.api(admin, 'POST', '/v1/event-receivers', { aud, delivery: push })
  t.match(answer.json(), { status: 409, code: 'too_many_receivers' })
})
