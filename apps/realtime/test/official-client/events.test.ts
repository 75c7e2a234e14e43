import t, { type Test } from 'tap'
import { application } from '../fixtures/application.js'
import { next, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)

async function nodeWithBackend(t: Test) {
  const app = await application(t, () => ({}))
  const node = await realtimeNode(t, {
    AUTH_URL: auth.url,
    REDIS_PREFIX: randomPrefix(),
    NODE_NAME: 'node-1',
    HANDLERS: JSON.stringify({ events: `${app.url}/events` }),
    HANDLER_SECRET: 'a-secret-of-thirty-two-characters',
  })
  const events = () =>
    app.requests.flatMap(({ body }): Record<string, unknown>[] => Object(body['events']))
  /** Resolves when the backend has got as many events. */
  const got = async (count: number) => {
    for (let requests = 1; events().length < count; requests += 1) {
      await app.received(requests)
    }
    return events()
  }
  return { app, node, events, got }
}

t.test('tells the backend what its clients do, without tokens', async (t) => {
  const { app, node, got } = await nodeWithBackend(t)
  const token = auth.issue({ subject: 'ada' })
  const centrifuge = officialClient(t, node.wsUrl, () => token)
  centrifuge.connect()
  await next(centrifuge, 'connected')
  const subscription = centrifuge.newSubscription('room:a')
  subscription.subscribe()
  await next(subscription, 'subscribed')
  subscription.unsubscribe()
  const other = centrifuge.newSubscription('room:b')
  other.subscribe()
  await next(other, 'subscribed')
  const disconnected = next(centrifuge, 'disconnected')
  await auth.revoke({ token })
  await disconnected
  const events = await got(6)
  const [{ client } = { client: '' }] = events
  const common = {
    client,
    user: 'ada',
    identity: 'shop',
    transport: 'websocket',
    protocol: 'json',
  }
  t.same(
    events.map(({ time: _time, ...event }) => event),
    [
      { seq: 1, type: 'connected', ...common },
      { seq: 2, type: 'subscribed', channel: 'room:a', ...common },
      {
        seq: 3,
        type: 'unsubscribed',
        channel: 'room:a',
        code: 0,
        reason: 'client unsubscribe',
        ...common,
      },
      { seq: 4, type: 'subscribed', channel: 'room:b', ...common },
      { seq: 5, type: 'revoked', ...common },
      { seq: 6, type: 'disconnected', code: 4500, reason: 'token revoked', ...common },
    ],
  )
  t.match(app.requests[0]?.headers.authorization, 'Bearer a-secret-of-thirty-two-characters')
  t.equal(app.requests[0]?.body['node'], 'node-1')
  t.notOk(app.requests.some(({ text }) => text.includes(token)))
  t.equal(await node.metric('portcullis_realtime_events_total{result="sent"}'), 6)
  t.equal(await node.metric('portcullis_realtime_events_total{result="lost"}'), 0)
})

t.test('tells the backend of the clients of a node that stops', async (t) => {
  const { node, events, got } = await nodeWithBackend(t)
  const token = auth.issue({ subject: 'bob' })
  const centrifuge = officialClient(t, node.wsUrl, () => token)
  centrifuge.connect()
  await next(centrifuge, 'connected')
  await got(1)
  await node.app.close()
  t.match(events(), [{ type: 'connected' }, { type: 'disconnected', code: 3001 }])
})
