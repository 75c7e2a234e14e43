import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() }
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const backend = auth.issue({ identity: 'shop', subject: 'shop', scope: 'publish:news publish:n:*' })

t.test('publishes to subscribers on every node, without client info', async (t) => {
  const peers = [await connected(one.wsUrl, auth.issue()), await connected(two.wsUrl, auth.issue())]
  for (const peer of peers) {
    await peer.call({ id: 2, subscribe: { channel: 'news' } })
  }
  const tags = { kind: 'x' }
  t.same(await one.api('publish', backend, { channel: 'news', data: [1], tags }), {
    status: 200,
    body: { result: {} },
  })
  for (const peer of peers) {
    t.same(await peer.next(), { push: { channel: 'news', pub: { data: [1], tags } } })
  }
})

t.test('requires the scope for the channel', async (t) => {
  t.same(await one.api('publish', backend, { channel: 'other', data: 1 }), {
    status: 200,
    body: { error: { code: 103, message: 'permission denied' } },
  })
})

t.test('reports each channel of a broadcast', async (t) => {
  const peer = await connected(two.wsUrl, auth.issue())
  await peer.call({ id: 2, subscribe: { channel: 'n:2' } })
  const answer = await one.api('broadcast', backend, { channels: ['n:1', 'no', 'n:2'], data: 'd' })
  t.same(answer, {
    status: 200,
    body: {
      result: {
        responses: [
          { result: {} },
          { error: { code: 103, message: 'permission denied' } },
          { result: {} },
        ],
      },
    },
  })
  t.match(await peer.next(), { push: { channel: 'n:2', pub: { data: 'd' } } })
})

t.test('accepts the token as an API key', async (t) => {
  const body = JSON.stringify({ channel: 'news', data: 1 })
  const post = async (headers: Record<string, string>) =>
    fetch(`${one.url}/api/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  t.equal((await post({ 'x-api-key': backend })).status, 200)
  t.equal((await post({ authorization: `apikey ${backend}` })).status, 200)
  t.equal((await post({ 'x-api-key': 'unknown' })).status, 401)
  t.equal((await post({ authorization: 'Bearer unknown', 'x-api-key': backend })).status, 401)
  t.equal((await post({})).status, 401)
})

t.test('replies 400 with the reason for an invalid body', async (t) => {
  const bad: unknown[] = [
    {},
    { channel: 'news' },
    { channel: '', data: 1 },
    { channel: 7, data: 1 },
    { channel: 'with space', data: 1 },
    { channel: 'news', data: 1, tags: { a: 1 } },
    [],
  ]
  for (const body of bad) {
    const answer = await one.api('publish', backend, body)
    t.equal(answer.status, 400, JSON.stringify(body))
    t.match(answer.body, { status: 400, detail: /body/ })
  }
  const name = 'a channel name: 1 to 255 visible ASCII characters, except " \\ and *'
  for (const [command, body, detail] of [
    ['publish', { channel: 'with space', data: 1 }, `body: channel must be ${name}`],
    ['publish', { data: 1 }, 'body must have the member channel'],
    ['broadcast', { channels: ['a', 'b*'], data: 1 }, `body: channels.1 must be ${name}`],
    ['publish', { channel: 'a', b64data: '?' }, 'body: b64data must be base64 (RFC 4648 §4)'],
  ] as const) {
    t.match((await one.api(command, backend, body)).body, { status: 400, detail })
  }
  const channels = Array.from({ length: 1001 }, (_, at) => `n:${at}`)
  t.equal((await one.api('broadcast', backend, { channels, data: 1 })).status, 400)
})

t.test('rejects other content types', async (t) => {
  for (const type of ['text/plain', 'application/json; x', 'application/jsonx', ' ', 'a/b']) {
    const answer = await fetch(`${one.url}/api/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${backend}`, 'content-type': type },
      body: '{"channel":"other"}',
    })
    t.ok([400, 415].includes(answer.status), `${type}: ${answer.status}`)
  }
})

t.test('refuses a large body, and does not read a body without a token', async (t) => {
  const data = 'x'.repeat(600_000)
  t.equal((await one.api('publish', backend, { channel: 'news', data })).status, 413)
  t.equal((await one.api('publish', 'unknown', '{')).status, 401)
})

t.test('replies bad request to deep nesting', async (t) => {
  const data = JSON.parse(`${'['.repeat(513)}${']'.repeat(513)}`)
  const { status, body } = await one.api('publish', backend, { channel: 'news', data })
  t.equal(status, 200)
  t.match(body, { error: { code: 107 } })
})

t.test('refuses a body that is no UTF-8 or no JSON', async (t) => {
  for (const body of [
    Buffer.from('{"channel":"a","data":"\xff"}', 'latin1'),
    '{"channel":"a",',
    '',
  ]) {
    const headers = { authorization: `Bearer ${backend}`, 'content-type': 'application/json' }
    const { status } = await fetch(`${one.url}/api/publish`, { method: 'POST', headers, body })
    t.equal(status, 400, String(body))
  }
})

t.test('disconnects a user on every node', async (t) => {
  const users = [
    await connected(one.wsUrl, auth.issue({ subject: 'eve' })),
    await connected(two.wsUrl, auth.issue({ subject: 'eve' })),
    await connected(two.wsUrl, auth.issue({ subject: 'eve', identity: 'other' })),
  ]
  t.equal((await one.api('disconnect', backend, { user: 'eve' })).status, 403, 'requires the scope')
  const revoker = auth.issue({ subject: 'shop', scope: 'tokens:revoke' })
  t.same(await one.api('disconnect', revoker, { user: 'eve' }), {
    status: 200,
    body: { result: {} },
  })
  t.same(await users[0]?.closed, { code: 3503, reason: 'force disconnect' })
  t.same(await users[1]?.closed, { code: 3503, reason: 'force disconnect' })
  t.match(
    await users[2]?.call({ id: 2, rpc: {} }),
    { id: 2 },
    'a user of another identity stays connected',
  )
  const admin = auth.issue({ scope: 'admin' })
  const disconnect = { code: 4001, reason: 'bye' }
  await one.api('disconnect', admin, { user: 'eve', disconnect })
  t.same(await users[2]?.closed, disconnect)
  const bad = { user: 'eve', disconnect: { code: 1000, reason: '' } }
  t.equal((await one.api('disconnect', admin, bad)).status, 400)
  const long = { user: 'eve', disconnect: { code: 4001, reason: 'ж'.repeat(62) } }
  t.match((await one.api('disconnect', admin, long)).body, { error: { code: 107 } })
})

t.test('lists all nodes with their numbers', async (t) => {
  const token = auth.issue({ subject: 'shop', scope: 'nodes:read' })
  const { status, body } = await two.api('info', token)
  t.equal(status, 200)
  t.match(body, { result: { nodes: [{ version: /^\d/ }, { version: /^\d/ }] } })
  const nodes = (body as { result: { nodes: { num_clients: number }[] } }).result.nodes
  const numbers = await Promise.all(
    [one, two].map((each) => each.metric('portcullis_realtime_connections')),
  )
  t.same(nodes.map((each) => each.num_clients).sort(), numbers.sort())
  t.equal((await one.api('info', backend)).status, 403)
})

t.test('serves health, readiness and metrics', async (t) => {
  t.equal((await fetch(`${one.url}/health`)).status, 200)
  t.equal((await fetch(`${one.url}/ready`)).status, 200)
  const text = await (await fetch(`${one.url}/metrics`)).text()
  for (const name of [
    'portcullis_realtime_connections',
    'portcullis_realtime_subscriptions',
    'portcullis_realtime_channels',
    'portcullis_realtime_published_total',
    'portcullis_realtime_received_total',
    'portcullis_realtime_deliveries_total',
    'portcullis_realtime_bus_garbage_total',
    'portcullis_realtime_disconnects_total{code="3503"}',
    'portcullis_realtime_admissions_total{result="admitted"}',
    'portcullis_realtime_admissions_total{result="invalid_token"}',
  ]) {
    t.match(text, new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} \\d`, 'm'), name)
  }
})

t.test('serves its OpenAPI description', async (t) => {
  const answer = await fetch(`${one.url}/docs`)
  const description = (await answer.json()) as { openapi: string; paths: object }
  t.equal(description.openapi, '3.1.0')
  t.same(Object.keys(description.paths).sort(), [
    '/api',
    '/api/batch',
    '/api/broadcast',
    '/api/channels',
    '/api/disconnect',
    '/api/history',
    '/api/history_remove',
    '/api/info',
    '/api/presence',
    '/api/presence_stats',
    '/api/publish',
    '/api/refresh',
    '/api/subscribe',
    '/api/unsubscribe',
  ])
})

t.test('is not ready and admits no client without auth', async (t) => {
  const lonely = await scriptedAuth(t)
  const node = await realtimeNode(t, { AUTH_URL: lonely.url, REDIS_PREFIX: randomPrefix() })
  const token = lonely.issue({ subject: 'shop' })
  const peer = await connected(node.wsUrl, token)
  await lonely.stop()
  while ((await fetch(`${node.url}/ready`)).status !== 503) {}
  const { status, body } = await node.api('publish', token, { channel: 'a', data: 1 })
  t.equal(status, 503)
  t.match(body, { code: 'auth_unavailable' })
  t.match(await peer.call({ id: 2, publish: { channel: 'a', data: 1 } }), { id: 2, publish: {} })
})
