import t from 'tap'
import { connected } from '../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, { AUTH_URL: auth.url, REDIS_PREFIX: randomPrefix() })

t.test('counts commands by method and bytes, and measures what clients wait for', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  const before = await node.metric('portcullis_realtime_received_bytes_total')
  const command = { id: 2, subscribe: { channel: 'news' } }
  await peer.call(command)
  t.equal(
    await node.metric('portcullis_realtime_received_bytes_total'),
    before + JSON.stringify(command).length,
  )
  const backend = auth.issue({ subject: 'shop', scope: 'publish:news' })
  await node.api('publish', backend, { channel: 'news', data: 1 })
  t.match(await peer.next(), { push: { pub: { data: 1 } } })
  for (const [method, count] of [
    ['connect', 1],
    ['subscribe', 1],
    ['publish', 0],
  ] as const) {
    t.equal(await node.metric(`portcullis_realtime_commands_total{method="${method}"}`), count)
  }
  t.ok((await node.metric('portcullis_realtime_sent_bytes_total')) > 60)
  t.equal(await node.metric('portcullis_realtime_delivery_duration_seconds_count'), 1)
  t.equal(await node.metric('portcullis_realtime_admission_duration_seconds_count'), 2)
  t.equal(await node.metric('portcullis_realtime_introspection_duration_seconds_count'), 2)
  t.equal(await node.metric('portcullis_realtime_introspected_tokens_total'), 2)
  t.ok((await node.metric('portcullis_realtime_redis_command_duration_seconds_count')) > 0)
})
