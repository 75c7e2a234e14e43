import t from 'tap'
import { connected } from '../fixtures/dial.js'
import { type RealtimeNode, randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { redisProxy } from '../fixtures/redis-proxy.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const token = auth.issue()
const backend = auth.issue({ subject: 'shop' })
const news = { channel: 'news' }

async function untilReady(node: RealtimeNode, status: number): Promise<void> {
  while ((await fetch(`${node.url}/ready`)).status !== status) {}
}

t.test('keeps sockets open and fails publishes while Redis is away, and recovers', async (t) => {
  const proxy = await redisProxy(t)
  const node = await realtimeNode(t, {
    AUTH_URL: auth.url,
    REDIS_URL: proxy.url,
    REDIS_PREFIX: randomPrefix(),
  })
  const peer = await connected(node.wsUrl, token)
  await peer.call({ id: 2, subscribe: news })
  proxy.cut()
  await untilReady(node, 503)
  const away = { error: { code: 100, temporary: true } }
  t.match(await peer.call({ id: 3, publish: { ...news, data: 1 } }), away)
  t.match(await peer.call({ id: 4, subscribe: { channel: 'more' } }), away)
  t.match(await node.api('publish', backend, { ...news, data: 1 }), {
    status: 200,
    body: { error: { code: 100 } },
  })
  const late = await connected(node.wsUrl, token)
  t.match(
    await late.call({ id: 2, rpc: {} }),
    { error: { code: 108 } },
    'admits clients without Redis',
  )

  proxy.restore()
  await untilReady(node, 200)
  await late.call({ id: 3, publish: { ...news, data: 'back' } })
  t.match(await peer.next(), { push: { channel: 'news', pub: { data: 'back' } } })
  t.same(await peer.call({ id: 5, subscribe: { channel: 'more' } }), { id: 5, subscribe: {} })
})

t.test('notices a hanging Redis and receives publications again afterwards', async (t) => {
  const proxy = await redisProxy(t)
  const node = await realtimeNode(t, {
    AUTH_URL: auth.url,
    REDIS_URL: proxy.url,
    REDIS_PREFIX: randomPrefix(),
  })
  const peer = await connected(node.wsUrl, token)
  await peer.call({ id: 2, subscribe: news })
  proxy.freeze()
  const reply = await peer.call({ id: 3, publish: { ...news, data: 1 } })
  t.match(reply, { error: { code: 100, temporary: true } }, 'the client gets an error in time')
  await untilReady(node, 503)
  // Ends connections that hang in a frozen handshake.
  proxy.cut()
  proxy.restore()
  await untilReady(node, 200)
  peer.send({ id: 4, publish: { ...news, data: 2 } })
  const both = [await peer.next(), await peer.next()]
  t.match(
    both.find((message) => 'push' in message),
    { push: { pub: { data: 2 } } },
  )
})
