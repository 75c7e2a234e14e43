import type { Options } from 'centrifuge'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { next, type OfficialClient, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'
import { expiredToken } from '../fixtures/unsigned-token.js'

const auth = await scriptedAuth(t)
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  PING_INTERVAL_MS: '500',
  PONG_TIMEOUT_MS: '400',
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)

const client = (
  t: Test,
  url: string,
  token: () => string,
  more: Partial<Options> = {},
): OfficialClient => officialClient(t, url, token, { build: 'protobuf', ...more })

interface Heard {
  data: unknown
  info?: { user: string }
  tags?: Record<string, string>
}

/** Subscribes a connected client and returns the list of its publications. */
async function listen(centrifuge: OfficialClient, channel: string) {
  const heard: Heard[] = []
  let wake = () => {}
  const subscription = centrifuge.newSubscription(channel)
  subscription.on('publication', (publication) => {
    heard.push(publication)
    wake()
  })
  const subscribed = next(subscription, 'subscribed')
  subscription.subscribe()
  centrifuge.connect()
  await subscribed
  return async (): Promise<Heard> => {
    for (;;) {
      const first = heard.shift()
      if (first !== undefined) {
        return first
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
}

const bytesOf = ({ data }: Heard) => (data instanceof Uint8Array ? Buffer.from(data) : undefined)

t.test('connects JSON and Protobuf clients in one channel across two nodes', async (t) => {
  const token = auth.issue()
  const ada = client(t, one.wsUrl, () => token)
  const json = officialClient(t, one.wsUrl, () => token)
  const onBinary = [
    await listen(ada, 'news'),
    await listen(
      client(t, two.wsUrl, () => token),
      'news',
    ),
  ]
  const onJson = [
    await listen(json, 'news'),
    await listen(
      officialClient(t, two.wsUrl, () => token),
      'news',
    ),
  ]

  const published: [Buffer, unknown][] = [
    [Buffer.from('{"text":"hello"}'), { text: 'hello' }],
    [Buffer.from('{ "text": "spaced" }\n'), { text: 'spaced' }],
    [Buffer.of(0, 1, 2, 0xff), 'AAEC/w=='],
    [Buffer.alloc(0), ''],
    [Buffer.alloc(30_000, 0xfe), Buffer.alloc(30_000, 0xfe).toString('base64')],
  ]
  for (const [bytes, value] of published) {
    await ada.publish('news', bytes)
    for (const heard of onBinary) {
      const publication = await heard()
      t.same(bytesOf(publication), bytes)
      t.match(publication.info, { user: 'ada' })
    }
    for (const heard of onJson) {
      t.same((await heard()).data, value)
    }
  }

  await json.publish('news', { from: 'json' })
  for (const heard of onBinary) {
    t.same(bytesOf(await heard())?.toString(), '{"from":"json"}')
  }
  for (const heard of onJson) {
    t.same((await heard()).data, { from: 'json' })
  }

  const backend = auth.issue({ subject: 'shop' })
  await two.api('publish', backend, { channel: 'news', data: [1], tags: { a: 'b' } })
  for (const heard of onBinary) {
    const publication = await heard()
    t.same(bytesOf(publication)?.toString(), '[1]')
    t.match(publication.tags, { a: 'b' })
  }
})

t.test('gets error codes', async (t) => {
  const token = auth.issue({ scope: 'subscribe:mine' })
  const centrifuge = client(t, one.wsUrl, () => token)
  centrifuge.connect()
  await centrifuge.ready()
  await t.rejects(centrifuge.rpc('x', Buffer.of(1)), { code: 108 })
  await t.rejects(centrifuge.publish('mine', Buffer.of(1)), { code: 103 })
  await t.rejects(centrifuge.publish('with space', Buffer.of(1)), { code: 107 })
  const theirs = centrifuge.newSubscription('theirs')
  const unsubscribed = next<{ code: number }>(theirs, 'unsubscribed')
  theirs.subscribe()
  t.match(await unsubscribed, { code: 103 })
})

t.test('answers pings and refreshes before its token expires', async (t) => {
  const tokens = [auth.issue({ ttlSeconds: 3 }), auth.issue({ scope: 'publish:a' })]
  let asked = 0
  const centrifuge = client(t, one.wsUrl, () => tokens[0] ?? '', {
    getToken: async () => tokens[Math.min(asked++, 1)] ?? '',
  })
  const lost = centrifuge.newSubscription('b')
  const unsubscribed = next<{ code: number }>(lost, 'unsubscribed')
  lost.subscribe()
  centrifuge.connect()
  await centrifuge.ready()
  let connecting = 0
  centrifuge.on('connecting', () => {
    connecting += 1
  })
  // Long enough for several pings.
  t.match(await unsubscribed, { code: 2000 }, 'the new token does not permit the channel')
  await auth.revoke({ token: tokens[0] ?? '' })
  await centrifuge.publish('a', Buffer.of(1))
  t.equal(asked, 2)
  t.equal(connecting, 0, 'on the same connection')
})

t.test('stays away after a revocation', async (t) => {
  const token = auth.issue()
  const centrifuge = client(t, one.wsUrl, () => token)
  centrifuge.connect()
  await centrifuge.ready()
  const disconnected = next<{ code: number; reason: string }>(centrifuge, 'disconnected')
  await auth.revoke({ token })
  t.match(await disconnected, { code: 4500, reason: 'token revoked' })
})

t.test('sends its token in the first command where that is allowed', async (t) => {
  const node = await realtimeNode(t, { ...environment, ADMISSION: 'connect' })
  const token = auth.issue()
  const bare = { websocket: WebSocket, getToken: null }
  const centrifuge = client(t, node.wsUrl, () => token, { ...bare, token })
  centrifuge.connect()
  await centrifuge.ready()
  await centrifuge.publish('a', Buffer.of(1))

  const wrong = client(t, node.wsUrl, () => '', { ...bare, token: 'unknown' })
  const stopped = next<{ code: number }>(wrong, 'disconnected')
  wrong.connect()
  t.match(await stopped, { code: 3500 }, 'a token that can never be good stops the client')

  const getToken = async () => token
  const stale = client(t, node.wsUrl, () => '', { ...bare, token: expiredToken, getToken })
  stale.connect()
  await stale.ready()
  t.match(await stale.publish('a', Buffer.of(1)), {}, 'it asks for another token')
})
