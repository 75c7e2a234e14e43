import fc from 'fast-check'
import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { type Issue, scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  MAX_CHANNELS: '2',
  NAMESPACES: JSON.stringify({ s: { historySize: 10, recovery: true } }),
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'tokens:issue tokens:revoke subscribe:* publish:* history:*'
const backend = auth.issue({ subject: 'shop', scope })
const done = { status: 200, body: { result: {} } }
const denied = { status: 200, body: { error: { code: 103, message: 'permission denied' } } }

let users = 0
/** Connects a new user without scopes to the node that does not receive the request. */
async function userOf(issue: Issue = {}) {
  users += 1
  const user = issue.subject ?? `user${users}`
  const token = auth.issue({ scope: 'publish:p', ...issue, subject: user })
  return { user, token, peer: await connected(two.wsUrl, token) }
}

t.test('subscribes the user’s connections on every node', async (t) => {
  const { user, peer, token } = await userOf()
  const peers = [peer, await connected(one.wsUrl, token)]
  const data = { why: 'because' }
  t.same(await one.api('subscribe', backend, { user, channel: 'news', data }), done)
  for (const each of peers) {
    t.same(await each.next(), { push: { channel: 'news', subscribe: { data } } })
  }
  await one.api('publish', backend, { channel: 'news', data: 1 })
  for (const each of peers) {
    t.same(await each.next(), { push: { channel: 'news', pub: { data: 1 } } })
  }
  t.same(await one.api('unsubscribe', backend, { user, channel: 'news' }), done)
  const unsubscribe = { code: 2000, reason: 'server unsubscribe' }
  for (const each of peers) {
    t.same(await each.next(), { push: { channel: 'news', unsubscribe } })
  }
})

t.test('selects one connection by its client or session id', async (t) => {
  const { user, peer, token } = await userOf()
  const other = await connected(two.wsUrl, token)
  const { client } = other
  await one.api('subscribe', backend, { user, client, channel: 'a' })
  await one.api('subscribe', backend, { user, session: client, client: '', channel: 'b' })
  t.match(await other.next(), { push: { channel: 'a', subscribe: {} } })
  t.match(await other.next(), { push: { channel: 'b', subscribe: {} } })
  await one.api('unsubscribe', backend, {
    user,
    session: client,
    client: peer.client,
    channel: 'a',
  })
  await one.api('unsubscribe', backend, { user, session: client, channel: 'b' })
  t.match(await other.next(), { push: { channel: 'b', unsubscribe: {} } })
  t.match(await peer.call({ id: 2, rpc: {} }), { id: 2 }, 'the other connection received nothing')
})

t.test('sends publications after recover_since first', async (t) => {
  const publish = async (data: number) => {
    const { body } = await one.api('publish', backend, { channel: 's:1', data })
    return Object(body).result
  }
  const since = await publish(1)
  await publish(2)
  await publish(3)
  const subscribe = { recoverable: true, positioned: true, ...since }
  const peers = []
  for (const position of [since, { offset: 1 }, { offset: 1, epoch: '' }]) {
    const { user, peer } = await userOf()
    await one.api('subscribe', backend, { user, channel: 's:1', recover_since: position })
    t.same(await peer.next(), { push: { channel: 's:1', subscribe } })
    peers.push(peer)
  }
  await publish(4)
  for (const peer of peers) {
    for (const data of [2, 3, 4]) {
      t.same(await peer.next(), { push: { channel: 's:1', pub: { data, offset: data } } })
    }
  }
})

t.test('passes on bytes and the end of the subscription', async (t) => {
  const { user, peer } = await userOf()
  const b64data = Buffer.from('no json').toString('base64')
  const expire_at = Math.floor(Date.now() / 1000) + 1
  await one.api('subscribe', backend, { user, channel: 'a', b64data, expire_at })
  t.same(await peer.next(), { push: { channel: 'a', subscribe: { data: b64data } } })
  t.match(await peer.next(), { push: { channel: 'a', unsubscribe: { code: 2501 } } })
  t.match(await one.api('subscribe', backend, { user, channel: 'a', expire_at: 1 }), {
    body: { error: { code: 110 } },
  })
})

t.test('closes a connection that would exceed its channels', async (t) => {
  const { user, peer } = await userOf()
  for (const channel of ['a', 'b', 'c']) {
    await one.api('subscribe', backend, { user, channel })
  }
  t.same(await peer.closed, { code: 3505, reason: 'channel limit' })
})

t.test('requires the scopes for issuing a token with the channel', async (t) => {
  const { user } = await userOf({ scope: 'subscribe:*' })
  const subscribe = (by: string, channel = 'a') => one.api('subscribe', by, { user, channel })
  const asShop = (scope: string) => auth.issue({ subject: 'shop', scope })
  t.equal((await subscribe(asShop('tokens:revoke subscribe:*'))).status, 403)
  t.same(await subscribe(asShop('tokens:issue subscribe:b')), denied)
  const own = auth.issue({ subject: 'shop', scope: 'tokens:issue subscribe:u:{sub}' })
  t.same(await subscribe(own, 'u:shop'), denied)
  t.same(await subscribe(own, 'u:other'), denied)
  t.same(await subscribe(own, `u:${user}`), done, '{sub} stands for the user')
  for (const method of ['unsubscribe', 'disconnect', 'refresh']) {
    const body = { user, ...(method === 'unsubscribe' ? { channel: 'a' } : {}) }
    const { status } = await one.api(method, asShop('tokens:issue'), body)
    t.equal(status, 403, method)
  }
})

t.test('reaches only connections of the caller’s identity, except for admin', async (t) => {
  const { user, peer } = await userOf({ identity: 'bank' })
  for (const method of ['subscribe', 'unsubscribe', 'disconnect', 'refresh']) {
    const channel = method.endsWith('subscribe') ? { channel: 'a' } : {}
    const expired = method === 'refresh' ? { expired: true } : {}
    t.same(await one.api(method, backend, { user, ...channel, ...expired }), done)
  }
  const admin = auth.issue({ scope: 'admin' })
  await one.api('subscribe', admin, { user, channel: 'admins' })
  t.match(await peer.next(), { push: { channel: 'admins', subscribe: {} } })
})

t.test('ends granted subscriptions with a revocation', async (t) => {
  const { user, peer, token } = await userOf()
  await one.api('subscribe', backend, { user, channel: 'a' })
  await peer.next()
  await auth.revoke({ token })
  t.match(await peer.closed, { code: 4500 })
})

t.test('does not disconnect clients in the whitelist', async (t) => {
  const { user, peer, token } = await userOf()
  const [kept, closed] = [await connected(one.wsUrl, token), await connected(two.wsUrl, token)]
  const { client } = closed
  await one.api('disconnect', backend, { user, session: client })
  t.match(await closed.closed, { code: 3503 })
  await one.api('disconnect', backend, { user, whitelist: [kept.client] })
  t.match(await peer.closed, { code: 3503 })
  t.match(await kept.call({ id: 2, rpc: {} }), { id: 2 })
})

t.test('closes connections as expired on refresh, and never extends them', async (t) => {
  const past = Math.floor(Date.now() / 1000) - 10
  for (const body of [{ expired: true }, { expire_at: past }]) {
    const { user, peer } = await userOf()
    t.same(await one.api('refresh', backend, { user, ...body }), done)
    t.same(await peer.closed, { code: 3005, reason: 'connection expired' })
  }
  const { user, peer } = await userOf()
  for (const body of [{}, { expired: false, expire_at: 0 }, { expire_at: past + 1000 }]) {
    t.match(await one.api('refresh', backend, { user, ...body }), {
      status: 200,
      body: { error: { code: 108, message: /token/ } },
    })
  }
  t.match(await peer.call({ id: 2, rpc: {} }), { id: 2 })
})

t.test('names the field that is not available', async (t) => {
  const { user } = await userOf()
  const body = { user, channel: 'a' }
  const refused: [method: string, body: object][] = [
    ['subscribe', { ...body, info: { role: 'x' } }],
    ['subscribe', { ...body, b64info: 'eA==' }],
    ['subscribe', { ...body, override: { presence: { value: true } } }],
    ['subscribe', { ...body, recover_since: { offset: 1, epoch: 'e' } }],
    ['subscribe', { ...body, label_filter: { key: 'a' } }],
    ['unsubscribe', { ...body, all_users: true }],
    ['disconnect', { user, label_filter: { key: 'a' } }],
    ['refresh', { user, expired: true, info: 1 }],
  ]
  for (const [method, asked] of refused) {
    const { status, body: answer } = await one.api(method, backend, asked)
    const fields = Object.keys(asked).filter(
      (each) => !['user', 'channel', 'expired'].includes(each),
    )
    t.equal(status, 200)
    t.same(answer, { error: { code: 108, message: `not available: ${fields[0]}` } })
  }
  const nothing = { info: null, b64info: '', override: {}, label_filter: null, all_users: false }
  t.same(await one.api('subscribe', backend, { ...body, ...nothing }), done)
})

t.test('replies 400 to an invalid body and does nothing', async (t) => {
  const { user, peer } = await userOf()
  const bad: [method: string, body: unknown][] = [
    ['subscribe', {}],
    ['subscribe', { user }],
    ['subscribe', { channel: 'a' }],
    ['subscribe', { user: '', channel: 'a' }],
    ['subscribe', { user, channel: 'a b' }],
    ['subscribe', { user, channel: 'a', users: ['bob'] }],
    ['subscribe', { user, channel: 'a', b64data: '?' }],
    ['subscribe', { user, channel: 'a', expire_at: -1 }],
    ['subscribe', { user, channel: 'a', expire_at: Date.now() + 60_000 }],
    ['subscribe', { user, channel: 's:1', recover_since: { offset: -1, epoch: '' } }],
    ['unsubscribe', { user, client: 'x'.repeat(65), channel: 'a' }],
    ['disconnect', { user, whitelist: 'abc' }],
    ['disconnect', { user, whitelist: Array(513).fill('a') }],
    ['disconnect', { user, only: 'phones' }],
    ['refresh', { user, expired: 'yes' }],
    ['refresh', []],
  ]
  for (const [method, body] of bad) {
    t.equal((await one.api(method, backend, body)).status, 400, JSON.stringify([method, body]))
  }
  const data = 'x'.repeat(40_000)
  t.match(await one.api('subscribe', backend, { user, channel: 'a', data }), {
    body: { error: { code: 107 } },
  })
  t.match(await peer.call({ id: 2, rpc: {} }), { id: 2 })
})

t.test('replies to random requests without harm to a node', async (t) => {
  const body = fc.record(
    {
      user: fc.oneof(fc.string(), fc.jsonValue()),
      channel: fc.oneof(fc.constant('fuzz'), fc.string()),
      client: fc.oneof(fc.string(), fc.jsonValue()),
      data: fc.jsonValue(),
      expire_at: fc.oneof(fc.integer(), fc.double()),
      recover_since: fc.oneof(
        fc.record({ offset: fc.integer(), epoch: fc.string() }),
        fc.jsonValue(),
      ),
      whitelist: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      override: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const method = fc.constantFrom('subscribe', 'unsubscribe', 'disconnect', 'refresh', 'batch')
  const garbage = () => two.metric('portcullis_realtime_bus_garbage_total')
  await fc.assert(
    fc.asyncProperty(method, body, async (name, asked) => {
      const commands = name === 'batch' ? { commands: [{ subscribe: asked }] } : asked
      return [200, 400].includes((await one.api(name, backend, commands)).status)
    }),
    { numRuns: 150 },
  )
  t.equal(await garbage(), 0, 'other nodes understand every accepted order')
  t.same(await one.api('publish', backend, { channel: 'p', data: 1 }), done)
})
