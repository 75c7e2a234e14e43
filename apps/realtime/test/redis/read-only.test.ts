import { LocalError, startRedis } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { type RealtimeNode, randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const server = await startRedis({ dir: t.testdir(), durable: false }).catch((error) => {
  if (error instanceof LocalError && error.code === 'redis_missing') {
    return undefined
  }
  throw error
})

async function untilReady(node: RealtimeNode, status: number): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${node.url}/ready`)
    const body = await answer.json()
    if (answer.status === status) {
      return body
    }
  }
}

t.test(
  'is not ready while Redis takes no writes',
  { skip: server === undefined ? 'no redis-server is installed' : false },
  async (t) => {
    const url = server?.url ?? ''
    t.teardown(() => server?.stop())
    const operator = connect({ url, onError: () => undefined })
    await operator.connect()
    t.teardown(() => close(operator))
    const auth = await scriptedAuth(t)
    const node = await realtimeNode(t, {
      AUTH_URL: auth.url,
      REDIS_URL: url,
      REDIS_PREFIX: randomPrefix(),
    })
    await untilReady(node, 200)
    t.same(await operator.keys('*unused*'), [], 'the check writes nothing')
    // A master that was demoted, or that lacks replicas, answers reads and pings as before.
    await operator.call('REPLICAOF', '127.0.0.1', '1')
    t.match(await untilReady(node, 503), { reasons: { redis: /takes no writes/ } })
    await operator.call('REPLICAOF', 'NO', 'ONE')
    await untilReady(node, 200)
    await operator.call('CONFIG', 'SET', 'min-replicas-to-write', '1')
    t.match(await untilReady(node, 503), { reasons: { redis: /takes no writes/ } })
    await operator.call('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await operator.call('CONFIG', 'SET', 'maxmemory', '1')
    t.match(await untilReady(node, 503), { reasons: { redis: /takes no writes/ } })
    await operator.call('CONFIG', 'SET', 'maxmemory', '0')
    await untilReady(node, 200)
  },
)
