import t, { type Test } from 'tap'
import { connected } from '../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { redisProxy } from '../fixtures/redis-proxy.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const scope = 'subscribe:* publish:*'
const token = auth.issue({ scope })
const backend = auth.issue({ subject: 'shop', scope })

/** Starts two nodes; Redis can be cut off from the first, which has a subscriber. */
async function scene(t: Test) {
  const proxy = await redisProxy(t)
  const environment = {
    AUTH_URL: auth.url,
    REDIS_PREFIX: randomPrefix(),
    NAMESPACES: JSON.stringify({ chat: { historySize: 1000, recovery: true } }),
  }
  const deaf = await realtimeNode(t, { ...environment, REDIS_URL: proxy.url })
  const other = await realtimeNode(t, environment)
  const peer = await connected(deaf.wsUrl, token)
  await peer.call({ id: 2, subscribe: { channel: 'chat:1' } })
  let published = 0
  const publish = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      published += 1
      await other.api('publish', backend, { channel: 'chat:1', data: published })
    }
  }
  /** Reads until the last number, on a connection that stays open. */
  const heard = async () => {
    const data: unknown[] = []
    while (data.length < published) {
      const message = (await peer.next()) as { push: { pub: { data: unknown; offset: number } } }
      data.push(message.push.pub.data)
    }
    return data
  }
  const ready = async (status: number) => {
    while ((await fetch(`${deaf.url}/ready`)).status !== status) {}
  }
  const numbers = () => Array.from({ length: published }, (_, at) => at + 1)
  return { proxy, deaf, publish, heard, ready, numbers }
}

t.test('delivers missed publications after the node was cut off from Redis', async (t) => {
  const { proxy, deaf, publish, heard, ready, numbers } = await scene(t)
  await publish(10)
  proxy.cut()
  await ready(503)
  await publish(50)
  proxy.restore()
  await publish(50)
  await ready(200)
  await publish(10)
  t.same(await heard(), numbers(), 'each once and in order, on the same connection')
  t.equal(await deaf.metric('portcullis_realtime_streams_lost_total'), 0)
})

t.test('delivers missed publications after Redis hung', async (t) => {
  const { proxy, publish, heard, ready, numbers } = await scene(t)
  await publish(10)
  proxy.freeze()
  await publish(20)
  await ready(503)
  proxy.cut()
  proxy.restore()
  await ready(200)
  t.same(await heard(), numbers(), 'without a further publication')
})
