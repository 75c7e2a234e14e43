import t from 'tap'
import { WebSocket } from 'ws'
import { officialClient as client, next, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  PING_INTERVAL_MS: '500',
  PONG_TIMEOUT_MS: '400',
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)

t.test('connects, subscribes and publishes across two nodes', async (t) => {
  const ada = client(t, one.wsUrl, () => adas)
  const bob = client(t, two.wsUrl, () => bobs)
  const [adas, bobs] = [auth.issue(), auth.issue({ subject: 'bob' })]
  const news = bob.newSubscription('news')
  const subscribed = next(news, 'subscribed')
  news.subscribe()
  bob.connect()
  await subscribed
  const heard = next<{ data: unknown; info: { user: string } }>(news, 'publication')
  ada.connect()
  await ada.ready()
  await ada.publish('news', { text: 'hello' })
  t.match(await heard, { data: { text: 'hello' }, info: { user: 'ada' } })
  await t.rejects(ada.history('news', { limit: 1 }), { code: 103 })
  await t.rejects(ada.rpc('x', {}), { code: 108 })
  news.unsubscribe()
  await ada.publish('news', 'unheard')
})

t.test('ends only the subscription to a channel that the token does not permit', async (t) => {
  const token = auth.issue({ scope: 'subscribe:mine' })
  const centrifuge = client(t, one.wsUrl, () => token)
  centrifuge.connect()
  const theirs = centrifuge.newSubscription('theirs')
  const unsubscribed = next<{ code: number }>(theirs, 'unsubscribed')
  theirs.subscribe()
  t.match(await unsubscribed, { code: 103 })
  const mine = centrifuge.newSubscription('mine')
  const subscribed = next(mine, 'subscribed')
  mine.subscribe()
  await subscribed
})

t.test('answers pings and stays connected', async (t) => {
  const token = auth.issue()
  const centrifuge = client(t, one.wsUrl, () => token)
  centrifuge.connect()
  await centrifuge.ready()
  let pings = 0
  await new Promise<void>((resolve) => {
    socketOf(centrifuge).on('message', (data) => {
      if (data.toString() === '{}') {
        pings += 1
      }
      if (pings === 3) {
        resolve()
      }
    })
  })
  t.equal(centrifuge.state, 'connected')
})

t.test('refreshes before its token expires and stays connected', async (t) => {
  const tokens = [auth.issue({ ttlSeconds: 3 }), auth.issue()]
  let asked = 0
  const centrifuge = client(t, one.wsUrl, () => tokens[0] ?? '', {
    getToken: async () => tokens[Math.min(asked++, 1)] ?? '',
  })
  centrifuge.connect()
  await centrifuge.ready()
  await new Promise<void>((resolve) => {
    socketOf(centrifuge).on('message', (data) => {
      if (data.toString().includes('"refresh"')) {
        resolve()
      }
    })
  })
  await auth.revoke({ token: tokens[0] ?? '' })
  await centrifuge.publish('a', 1)
  t.equal(asked, 2)
  t.equal(centrifuge.state, 'connected')
})

t.test('reconnects with a new token after its token expired during sleep', async (t) => {
  const tokens = [auth.issue({ ttlSeconds: 2 }), auth.issue()]
  let [current] = tokens
  let asleep = false
  const centrifuge = client(t, one.wsUrl, () => current ?? '', {
    getToken: async () => {
      if (asleep) {
        await expired
      }
      asleep = true
      return current ?? ''
    },
  })
  const expired = new Promise<void>((resolve) => {
    centrifuge.on('connecting', ({ code }) => {
      if (code !== 3005) {
        return
      }
      current = tokens[1]
      resolve()
    })
  })
  centrifuge.connect()
  await centrifuge.ready()
  await expired
  await centrifuge.ready()
  t.match(await centrifuge.publish('a', 1), {})
})

t.test('stays away after a revocation', async (t) => {
  const token = auth.issue()
  const centrifuge = client(t, one.wsUrl, () => token)
  centrifuge.connect()
  await centrifuge.ready()
  const disconnected = next<{ code: number; reason: string }>(centrifuge, 'disconnected')
  await auth.revoke({ token })
  t.match(await disconnected, { code: 4500, reason: 'token revoked' })
  t.equal(centrifuge.state, 'disconnected')
})

t.test('reconnects to another node when its node stops', async (t) => {
  const token = auth.issue()
  const leaving = await realtimeNode(t, environment)
  let url = leaving.wsUrl
  const centrifuge = client(t, url, () => token, {
    websocket: class extends WebSocket {
      constructor() {
        super(url, { headers: { authorization: `Bearer ${token}` } })
      }
    },
  })
  centrifuge.connect()
  await centrifuge.ready()
  const connecting = next<{ code: number }>(centrifuge, 'connecting')
  url = two.wsUrl
  await leaving.app.close()
  t.match(await connecting, { code: 3001 })
  await centrifuge.ready()
})
