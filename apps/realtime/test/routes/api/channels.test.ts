import t from 'tap'
import { connected } from '../../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({
    chat: { historySize: 2, recovery: true, presence: true, joinLeave: true },
  }),
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'publish:* history:* presence:* subscribe:*'
const backend = auth.issue({ identity: 'shop', subject: 'shop', scope })
const operator = auth.issue({ identity: 'ops', subject: 'ops', scope: 'nodes:read' })
const unprivileged = auth.issue({ identity: 'shop', subject: 'shop', scope: 'subscribe:*' })

t.test('returns the newest publications of a history, and removes it', async (t) => {
  const channel = 'chat:kept'
  const call = async (method: string, body: object) => (await one.api(method, backend, body)).body
  const published: unknown[] = []
  for (const data of [1, 2, 3]) {
    published.push(await call('publish', { channel, data }))
  }
  t.match(published, [{ result: { offset: 1, epoch: String } }, {}, { result: { offset: 3 } }])
  const { result } = (await call('history', { channel, limit: -1 })) as {
    result: { epoch: string }
  }
  const { epoch } = result
  const publications = [
    { data: 2, offset: 2 },
    { data: 3, offset: 3 },
  ]
  t.same(result, { epoch, offset: 3, publications })
  t.same(await call('history', { channel }), { result: { epoch, offset: 3, publications: [] } })
  for (const since of [{ offset: 2, epoch }, { offset: 2 }, { offset: 2, epoch: '' }]) {
    t.match(await call('history', { channel, limit: 9, since }), {
      result: { publications: [{ data: 3 }] },
    })
  }
  t.match(await call('history', { channel, since: { offset: 2, epoch: 'old' } }), {
    error: { code: 112 },
  })
  await call('publish', { channel, data: 'unseen', skip_history: true })
  t.match(await call('history', { channel }), { result: { offset: 3 } })
  t.same(await call('history_remove', { channel }), { result: {} })
  t.same(await call('history', { channel, limit: -1 }), {
    result: { epoch, offset: 3, publications: [] },
  })
})

t.test('publishes no older version, and says where versions are not available', async (t) => {
  const publish = async (body: object) => (await one.api('publish', backend, body)).body
  const channel = 'chat:versions'
  const first = await publish({ channel, data: 2, version: 2, version_epoch: 'e' })
  t.match(first, { result: { offset: 1 } })
  t.same(await publish({ channel, data: 1, version: 1, version_epoch: 'e' }), first)
  t.match(await publish({ channel, data: 3, version: 0, version_epoch: '' }), {
    result: { offset: 2 },
  })
  for (const body of [{ channel: 'plain' }, { channel, skip_history: true }]) {
    t.match(await publish({ ...body, data: 1, version: 1 }), {
      error: { code: 108, message: 'not available: version in a channel without a history' },
    })
  }
})

t.test('publishes bytes in base64, and rejects them together with data', async (t) => {
  const peer = await connected(one.wsUrl, auth.issue())
  await peer.call({ id: 2, subscribe: { channel: 'chat:bytes' } })
  const publish = (body: object) => one.api('publish', backend, { channel: 'chat:bytes', ...body })
  await publish({ b64data: Buffer.from('{"json": true}').toString('base64') })
  await publish({ b64data: 'AP8=' })
  t.match(await peer.next(), { push: { pub: { data: { json: true } } } })
  t.match(await peer.next(), { push: { pub: { data: 'AP8=' } } })
  const { body } = await one.api('history', backend, { channel: 'chat:bytes', limit: 9 })
  t.match(body, { result: { publications: [{ data: { json: true } }, { data: 'AP8=' }] } })
  for (const wrong of [{}, { data: 1, b64data: 'AP8=' }, { b64data: 'not base64!' }]) {
    t.equal((await publish(wrong)).status, 400, JSON.stringify(wrong))
  }
})

t.test('publishes once under an idempotency key', async (t) => {
  const peer = await connected(two.wsUrl, auth.issue())
  await peer.call({ id: 2, subscribe: { channel: 'chat:once' } })
  const body = { channel: 'chat:once', data: 1, idempotency_key: 'order-7' }
  const first = await one.api('publish', backend, body)
  t.same(await two.api('publish', backend, body), first)
  await one.api('publish', backend, { channel: 'chat:once', data: 2 })
  t.match(await peer.next(), { push: { pub: { data: 1, offset: 1 } } })
  t.match(await peer.next(), { push: { pub: { data: 2, offset: 2 } } })
})

t.test('returns presence and channels of both nodes', async (t) => {
  const channel = 'chat:here'
  const ada = await connected(one.wsUrl, auth.issue())
  const bob = await connected(two.wsUrl, auth.issue({ subject: 'bob' }))
  for (const peer of [ada, bob]) {
    await peer.call({ id: 2, subscribe: { channel } })
  }
  const { body } = await one.api('presence', backend, { channel })
  const { presence } = (body as { result: { presence: Record<string, { user: string }> } }).result
  t.same(
    Object.values(presence)
      .map(({ user }) => user)
      .sort(),
    ['ada', 'bob'],
  )
  t.same((await two.api('presence_stats', backend, { channel })).body, {
    result: { num_clients: 2, num_users: 2 },
  })
  t.same((await one.api('channels', operator, { pattern: 'chat:h*' })).body, {
    result: { channels: { [channel]: { num_clients: 2 } } },
  })
})

t.test('requires scopes and the options of the namespace', async (t) => {
  const call = async (method: string, token: string, channel: string) =>
    (await one.api(method, token, { channel })).body
  for (const method of ['history', 'history_remove', 'presence', 'presence_stats']) {
    t.match(await call(method, unprivileged, 'chat:1'), { error: { code: 103 } }, method)
  }
  for (const method of ['history', 'presence', 'presence_stats']) {
    t.match(await call(method, backend, 'other:1'), { error: { code: 108 } }, method)
  }
  t.equal((await one.api('channels', backend, {})).status, 403)
  t.equal((await one.api('history', backend, { channel: 'chat:1', limit: -2 })).status, 400)
})
