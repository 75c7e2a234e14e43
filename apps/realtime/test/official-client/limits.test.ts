import { State, SubscriptionState } from 'centrifuge'
import t from 'tap'
import { next, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  COMMANDS_PER_SECOND: '5',
  RATE_BURST_SECONDS: '2',
  MAX_CHANNELS: '9',
  MAX_CONNECTIONS_PER_USER: '3',
})

for (const build of ['json', 'protobuf'] as const) {
  t.test(`${build}: continues after error 111`, async (t) => {
    const token = auth.issue({ subject: build })
    const client = officialClient(t, node.wsUrl, () => token, { build })
    client.connect()
    await client.ready()
    const subscription = client.newSubscription('a', {
      minResubscribeDelay: 100,
      maxResubscribeDelay: 200,
    })
    const errors: unknown[] = []
    subscription.on('error', ({ error }) => errors.push(error))
    const publishing = Promise.allSettled(
      Array.from({ length: 14 }, (_, at) =>
        client.publish('a', build === 'json' ? at : Buffer.of(at)),
      ),
    )
    // Right after them, before the allowance grows. The client sends publications in a microtask,
    // and a subscription at once.
    await new Promise((resolve) => process.nextTick(resolve))
    subscription.subscribe()
    const results = await publishing
    const refused = results.filter((result) => result.status === 'rejected')
    t.ok(refused.length > 0, 'publish rejects')
    t.match(refused[0], { reason: { code: 111, temporary: true } })
    await subscription.ready()
    t.match(errors[0], { code: 111 }, 'the client repeats the subscription')
    t.equal(client.state, State.Connected, 'the connection stays open')
  })
}

t.test('reconnects after a flood', async (t) => {
  const token = auth.issue({ subject: 'flood' })
  const client = officialClient(t, node.wsUrl, () => token)
  client.connect()
  await client.ready()
  const subscription = client.newSubscription('b')
  subscription.subscribe()
  await subscription.ready()
  const left = next<{ code: number }>(client, 'connecting')
  const results = Promise.allSettled(Array.from({ length: 60 }, (_, at) => client.publish('a', at)))
  t.equal((await left).code, 3013)
  await results
  await client.ready()
  await subscription.ready()
  t.equal(subscription.state, SubscriptionState.Subscribed)
})

t.test('stays away beyond the connections of its user', async (t) => {
  const token = auth.issue({ subject: 'many' })
  for (let opened = 0; opened < 3; opened += 1) {
    const client = officialClient(t, node.wsUrl, () => token)
    client.connect()
    await client.ready()
  }
  const last = officialClient(t, node.wsUrl, () => token)
  const disconnected = next<{ code: number }>(last, 'disconnected')
  last.connect()
  t.equal((await disconnected).code, 3504)
})
