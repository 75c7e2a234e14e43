import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({ s: { historySize: 100, presence: true } }),
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'tokens:issue tokens:revoke subscribe:* publish:* history:* presence:*'
const backend = auth.issue({ subject: 'shop', scope })
const denied = { error: { code: 103, message: 'permission denied' } }

/** Sends a batch and returns its replies, in order. */
async function batch(commands: object[], token = backend, more: object = {}): Promise<unknown[]> {
  const { status, body } = await one.api('batch', token, { commands, ...more })
  t.equal(status, 200)
  return Object(body).replies
}

t.test('runs commands in order and returns each result under its name', async (t) => {
  const peer = await connected(two.wsUrl, auth.issue({ subject: 'eve' }))
  await peer.call({ id: 2, subscribe: { channel: 's:1' } })
  const replies = await batch([
    { publish: { channel: 's:1', data: 1 } },
    { publish: { channel: 's:1', data: 2 } },
    { history: { channel: 's:1', limit: 10 } },
    { broadcast: { channels: ['s:1', 's:2'], data: 3 } },
    { presence: { channel: 's:1' } },
    { presence_stats: { channel: 's:1' } },
    { history_remove: { channel: 's:1' } },
    { subscribe: { user: 'eve', channel: 'given' } },
    { unsubscribe: { user: 'eve', channel: 's:1' } },
    { refresh: { user: 'eve', expire_at: 9_999_999_999 } },
    { disconnect: { user: 'eve' } },
  ])
  t.match(replies, [
    { publish: { offset: 1 } },
    { publish: { offset: 2 } },
    { history: { publications: [{ data: 1 }, { data: 2 }], offset: 2 } },
    { broadcast: { responses: [{ result: { offset: 3 } }, { result: { offset: 1 } }] } },
    { presence: { presence: {} } },
    { presence_stats: { num_clients: 1 } },
    { history_remove: {} },
    { subscribe: {} },
    { unsubscribe: {} },
    { error: { code: 108 } },
    { disconnect: {} },
  ])
  for (const data of [1, 2, 3]) {
    t.match(await peer.next(), { push: { pub: { data } } })
  }
  t.match(await peer.closed, { code: 3503 })
})

t.test('requires the scopes of each command', async (t) => {
  const publisher = auth.issue({ subject: 'shop', scope: 'publish:news' })
  const replies = await batch(
    [
      { publish: { channel: 'news', data: 1 } },
      { publish: { channel: 'other', data: 1 } },
      { disconnect: { user: 'eve' } },
      { subscribe: { user: 'eve', channel: 'news' } },
      { info: {} },
      { channels: {} },
    ],
    publisher,
  )
  t.same(replies, [{ publish: {} }, denied, denied, denied, denied, denied])
  const [info] = await batch([{ info: {} }], auth.issue({ subject: 'shop', scope: 'nodes:read' }))
  t.match(info, { info: { nodes: [{}, {}] } })
  t.equal((await one.api('batch', 'unknown', { commands: [] })).status, 401)
})

t.test('runs the other commands when one is invalid', async (t) => {
  const replies = await batch([
    { publish: { channel: 'with space', data: 1 } },
    { publish: { channel: 'a' } },
    { publish: null },
    { rpc: { method: 'x' } },
    { batch: { commands: [] } },
    { __proto__x: {} },
    { constructor: {} },
    { publish: { channel: 'a', data: 1 } },
  ])
  const code = (each: unknown) => Object(each).error?.code
  t.same(replies.map(code), [107, 107, 107, 104, 104, 104, 104, undefined])
  t.same(replies.at(-1), { publish: {} })
  const bad = [{}, { commands: 1 }, { commands: [null] }, { commands: [{}] }, { commands: [[]] }]
  bad.push({ commands: Array(1001).fill({ info: {} }) }, { commands: [{ info: {}, publish: {} }] })
  for (const body of bad) {
    t.equal((await one.api('batch', backend, body)).status, 400, JSON.stringify(body).slice(0, 60))
  }
})

t.test('publishes once under an idempotency key, within a batch and across requests', async (t) => {
  const publish = { channel: 's:once', data: 1, idempotency_key: 'k' }
  const [first, second] = await batch([{ publish }, { publish }])
  t.match(first, { publish: { offset: 1 } })
  t.same(second, first)
  const broadcast = { channels: ['s:once', 's:twice'], data: 1, idempotency_key: 'k' }
  const side = await batch([{ broadcast }, { broadcast }], backend, { parallel: true })
  for (const reply of side) {
    t.match(reply, {
      broadcast: { responses: [{ result: { offset: 1 } }, { result: { offset: 1 } }] },
    })
  }
  t.match(await one.api('publish', backend, publish), { body: { result: { offset: 1 } } })
})

t.test('returns replies in order when commands run in parallel', async (t) => {
  const commands = Array.from({ length: 200 }, (_, at) => ({
    history: { channel: `s:p${at}`, limit: 1 },
  }))
  const data = await batch(
    commands.map((_, at) => ({ publish: { channel: `s:p${at}`, data: at } })),
    backend,
    { parallel: true },
  )
  t.equal(data.length, 200)
  const replies = await batch(commands, backend, { parallel: true })
  t.same(
    replies.map((each) => Object(each).history.publications[0].data),
    commands.map((_, at) => at),
  )
})

t.test('counts each command and each channel for the identity', async (t) => {
  const slow = { API_COMMANDS_PER_SECOND: '2', RATE_BURST_SECONDS: '5', COMMANDS_PER_SECOND: '100' }
  const node = await realtimeNode(t, { ...environment, ...slow })
  const services = ['one', 'two', 'three', 'four'].map((identity) =>
    auth.issue({ identity, subject: identity, scope }),
  )
  const answers = async (token: string | undefined, commands: object[], parallel: boolean) => {
    const { status, body } = await node.api('batch', token ?? '', { commands, parallel })
    t.equal(status, 200)
    return Object(body).replies.map((each: object) => ('error' in each ? each.error : 'done'))
  }
  const publish = { publish: { channel: 'a', data: 1 } }
  const tooMany = { code: 111, message: 'too many requests' }
  const thirty = Array.from({ length: 30 }, () => publish)
  const expected = thirty.map((_, at) => (at < 10 ? 'done' : tooMany))
  t.same(await answers(services[0], thirty, true), expected)
  t.same(await answers(services[1], thirty, false), expected)
  const refused = await node.api('publish', services[1] ?? '', publish.publish)
  t.match(refused, { status: 429, body: { code: 'too_many_requests' } })
  t.equal(await node.metric('portcullis_realtime_limited_total{what="requests"}'), 41)

  const channels = ['a', 'b', 'c', 'd', 'e', 'f']
  const broadcast = { broadcast: { channels, data: 1 } }
  t.same(
    await answers(services[2], [broadcast, broadcast, broadcast, publish], true),
    ['done', 'done', tooMany, tooMany],
    'a command that starts within the rate runs and is charged in full',
  )
  t.equal((await node.api('broadcast', services[3] ?? '', broadcast.broadcast)).status, 200)
  t.equal((await node.api('broadcast', services[3] ?? '', broadcast.broadcast)).status, 200)
  t.equal((await node.api('broadcast', services[3] ?? '', broadcast.broadcast)).status, 429)
})

t.test('counts published bytes, of a broadcast for each channel', async (t) => {
  const slow = { API_BYTES_PER_SECOND: '1024', RATE_BURST_SECONDS: '5' }
  const node = await realtimeNode(t, { ...environment, ...slow })
  const data = 'x'.repeat(1000)
  const channels = Array.from({ length: 6 }, (_, at) => `b${at}`)
  t.equal((await node.api('broadcast', backend, { channels, data })).status, 200)
  t.equal((await node.api('publish', backend, { channel: 'b', data })).status, 429)
  const other = auth.issue({ identity: 'other', subject: 'other', scope })
  t.equal((await node.api('publish', other, { channel: 'b', data })).status, 200)
})

t.test('does not delay another caller behind a batch of broadcasts', async (t) => {
  const channels = Array.from({ length: 1000 }, (_, at) => `w${at}`)
  const commands = Array.from({ length: 12 }, () => ({ broadcast: { channels, data: 0 } }))
  const order: string[] = []
  const wide = one.api('batch', backend, { commands, parallel: true }).then(({ body }) => {
    order.push('batch')
    return Object(body).replies
  })
  const published = (await one.metric('portcullis_realtime_published_total')) + 1
  while ((await one.metric('portcullis_realtime_published_total')) < published) {}
  const other = auth.issue({ identity: 'other', subject: 'other', scope })
  await one.api('publish', other, { channel: 'b', data: 1 }).then(() => order.push('other'))
  t.match(
    (await wide).map((each: object) => Object(each).broadcast.responses.length),
    commands.map(() => 1000),
  )
  t.same(order, ['other', 'batch'])
})

t.test('runs no further command when the replies exceed their maximum size', async (t) => {
  const data = 'x'.repeat(500_000)
  for (const channel of ['s:large1', 's:large2']) {
    await one.api('publish', backend, { channel, data })
    const history = { history: { channel, limit: 1 } }
    const commands = Array.from({ length: 30 }, () => history)
    const replies = await batch(commands, backend, { parallel: channel === 's:large2' })
    t.ok('history' in Object(replies[0]))
    t.same(replies[29], { error: { code: 106, message: 'limit exceeded' } })
  }
})

t.test('runs no further command after the caller is revoked', async (t) => {
  const mine = auth.issue({ subject: 'shop', scope: 'publish:*' })
  const watching = await connected(two.wsUrl, auth.issue())
  await watching.call({ id: 2, subscribe: { channel: 'long' } })
  const commands = Array.from({ length: 1000 }, (_, data) => ({
    publish: { channel: 'long', data },
  }))
  const answer = one.api('batch', mine, { commands })
  t.match(await watching.next(), { push: { pub: { data: 0 } } })
  await auth.revoke({ token: mine })
  t.equal((await answer).status, 401)
  await one.api('publish', backend, { channel: 'long', data: 'end' })
  let last: unknown = 0
  let heard = 1
  for (;;) {
    last = Object(await watching.next()).push.pub.data
    if (last === 'end') {
      break
    }
    heard += 1
  }
  t.ok(heard < 1000, `${heard} were published`)
})
