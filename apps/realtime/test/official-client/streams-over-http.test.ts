import type { PublicationContext } from 'centrifuge'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { application } from '../fixtures/application.js'
import { next, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'
import {
  type StreamClientOptions,
  type StreamKind,
  streamClient,
} from '../fixtures/stream-client.js'

const auth = await scriptedAuth(t)
const app = await application(t, () => ({ result: { data: { fine: true } } }))
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  FALLBACK_TRANSPORTS: 'http_stream,sse',
  PING_INTERVAL_MS: '1000',
  PONG_TIMEOUT_MS: '500',
  HANDLERS: JSON.stringify({ rpc: { '': app.url } }),
  NAMESPACES: JSON.stringify({
    chat: { historySize: 10, historyTtlSeconds: 60, recovery: true, presence: true },
  }),
}
const first = await realtimeNode(t, environment)
const second = await realtimeNode(t, environment)
const scope = 'subscribe:* publish:* presence:* history:*'

interface Way {
  name: string
  kind: StreamKind
  build: 'json' | 'protobuf'
  /** True when the node that has the stream does not get the commands. */
  across: boolean
}

const ways: Way[] = [
  { name: 'http_stream', kind: 'http_stream', build: 'json', across: false },
  { name: 'http_stream through another node', kind: 'http_stream', build: 'json', across: true },
  { name: 'http_stream, protobuf', kind: 'http_stream', build: 'protobuf', across: false },
  {
    name: 'http_stream, protobuf, through another node',
    kind: 'http_stream',
    build: 'protobuf',
    across: true,
  },
  { name: 'sse', kind: 'sse', build: 'json', across: false },
  { name: 'sse through another node', kind: 'sse', build: 'json', across: true },
]

for (const { name, kind, build, across } of ways) {
  const client = (t: Test, token: string, more: StreamClientOptions = {}) =>
    streamClient(t, first, kind, () => token, {
      build,
      ...(across ? { commandsTo: second } : {}),
      ...more,
    })
  const toSend = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))
  const received = (data: unknown): unknown =>
    build === 'json'
      ? data
      : JSON.parse(String(data instanceof Uint8Array ? Buffer.from(data) : data))

  t.test(`${name}: subscribes, publishes, calls, reads history and presence`, async (t) => {
    const centrifuge = client(t, auth.issue({ subject: 'ada', scope }))
    const channel = `chat:${name.replace(/\W/g, '')}`
    const subscription = centrifuge.newSubscription(channel)
    subscription.subscribe()
    centrifuge.connect()
    t.match(await next(centrifuge, 'connected'), { transport: kind })
    await next(subscription, 'subscribed')
    const came = next<PublicationContext>(subscription, 'publication')
    await subscription.publish(toSend({ text: 'hello' }))
    const { data, info } = await came
    t.same(received(data), { text: 'hello' })
    t.equal(info?.user, 'ada')
    const { publications } = await subscription.history({ limit: 5 })
    t.same(
      publications.map((each) => received(each.data)),
      [{ text: 'hello' }],
    )
    const { clients } = await subscription.presence()
    t.same(
      Object.values(clients).map(({ user }) => user),
      ['ada'],
    )
    t.same(received((await centrifuge.rpc('any', toSend(1))).data), { fine: true })
  })

  t.test(`${name}: answers pings, and so stays connected`, async (t) => {
    const centrifuge = client(t, auth.issue())
    centrifuge.connect()
    await centrifuge.ready()
    const states: string[] = []
    centrifuge.on('state', ({ newState }) => states.push(newState))
    const sent: unknown[] = []
    const transport = Reflect.get(centrifuge, '_transport')
    const send = transport.send.bind(transport)
    const pongs = new Promise<void>((resolve) => {
      transport.send = (...args: unknown[]) => {
        send(...args)
        if (sent.push(args) === 2) {
          resolve()
        }
      }
    })
    await pongs
    t.same(states, [])
  })

  t.test(`${name}: a revocation ends the stream, and its receipt comes after`, async (t) => {
    const token = auth.issue({ scope })
    const centrifuge = client(t, token)
    const subscription = centrifuge.newSubscription('room')
    const texts: unknown[] = []
    subscription.on('publication', ({ data }) => texts.push(received(data)))
    subscription.subscribe()
    centrifuge.connect()
    await next(subscription, 'subscribed')
    const session = Reflect.get(centrifuge, '_session')
    const node = Reflect.get(centrifuge, '_node')
    const ended = next(centrifuge, 'disconnected')
    const witness = auth.issue({ scope, subject: 'witness' })
    const other = officialClient(t, first.wsUrl, () => witness)
    const seen = other.newSubscription('room')
    const heard: unknown[] = []
    seen.on('publication', ({ data }) => heard.push(data))
    seen.subscribe()
    other.connect()
    await next(seen, 'subscribed')
    await auth.revoke({ token })
    // The receipt is complete.
    for (const { url } of [first, second]) {
      const answer = await fetch(`${url}/emulation`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          session,
          node,
          data: JSON.stringify({ id: 90, publish: { channel: 'room', data: 'late' } }),
        }),
      })
      t.ok([204, 404].includes(answer.status), `answered ${answer.status}`)
    }
    const came = next(seen, 'publication')
    await seen.publish('on time')
    await came
    t.match(await ended, { code: 4500, reason: 'token revoked' })
    t.same(heard, ['on time'], 'the commands had no effect')
    t.same(texts, [], 'the stream got no byte')
  })

  t.test(`${name}: recovers after the stream broke`, async (t) => {
    const centrifuge = client(t, auth.issue({ scope }))
    const channel = `chat:recover${name.replace(/\W/g, '')}`
    const subscription = centrifuge.newSubscription(channel)
    subscription.subscribe()
    centrifuge.connect()
    await next(subscription, 'subscribed')
    const server = auth.issue({ subject: 'shop', scope: 'publish:* tokens:revoke' })
    await first.api('publish', server, { channel, data: 1 })
    await next(subscription, 'publication')
    const again = next<{ recovered: boolean }>(subscription, 'subscribed')
    const came = next<PublicationContext>(subscription, 'publication')
    centrifuge.once('connecting', () => {
      void first.api('publish', server, { channel, data: 2 })
    })
    Reflect.get(centrifuge, '_transport').close()
    t.equal(received((await came).data), 2)
    t.ok((await again).recovered)
  })

  t.test(`${name}: a terminal code stops the client, others make it come back`, async (t) => {
    const centrifuge = client(t, auth.issue({ subject: `leaver-${name}`, scope }))
    centrifuge.connect()
    await centrifuge.ready()
    const server = auth.issue({ subject: 'shop', scope: 'tokens:revoke publish:*' })
    const user = `leaver-${name}`
    const back = next(centrifuge, 'connected')
    await second.api('disconnect', server, { user, disconnect: { code: 3001, reason: 'again' } })
    await back
    const ended = next(centrifuge, 'disconnected')
    await second.api('disconnect', server, { user, disconnect: { code: 4501, reason: 'go' } })
    t.match(await ended, { code: 4501, reason: 'go' })
  })

  t.test(`${name}: refreshes its token before it expires`, async (t) => {
    const tokens = [auth.issue({ ttlSeconds: 2 }), auth.issue()]
    const centrifuge = client(t, '', {
      token: tokens[0] ?? '',
      getToken: async () => tokens[1] ?? '',
    })
    const refreshed = new Promise<void>((resolve) => {
      const refreshResponse = Reflect.get(centrifuge, '_refreshResponse').bind(centrifuge)
      Reflect.set(centrifuge, '_refreshResponse', (result: unknown) => {
        refreshResponse(result)
        resolve()
      })
    })
    centrifuge.connect()
    await centrifuge.ready()
    const ended = next(centrifuge, 'disconnected')
    await refreshed
    await centrifuge.publish('a', toSend(1))
    await auth.revoke({ token: tokens[1] ?? '' })
    t.match(await ended, { code: 4500 }, 'uses the second token')
  })

  t.test(`${name}: a token that was never good stops the client`, async (t) => {
    const centrifuge = client(t, 'nonsense')
    const ended = next(centrifuge, 'disconnected')
    centrifuge.connect()
    t.match(await ended, { code: 3500 })
  })
}

t.test('falls back to a stream where WebSockets are blocked', async (t) => {
  const token = auth.issue({ scope })
  class Blocked extends WebSocket {
    constructor() {
      super(`${first.wsUrl}/blocked`)
    }
  }
  const centrifuge = officialClient(
    t,
    [
      { transport: 'websocket', endpoint: first.wsUrl },
      { transport: 'http_stream', endpoint: `${first.url}/connection/http_stream` },
    ],
    () => token,
    {
      websocket: Blocked,
      emulationEndpoint: `${second.url}/emulation`,
      fetch,
      readableStream: ReadableStream,
    },
  )
  centrifuge.connect()
  t.match(await next(centrifuge, 'connected'), { transport: 'http_stream' })
  await centrifuge.publish('a', 1)
})

t.test('the node counts its streams', async (t) => {
  const node = await realtimeNode(t, environment)
  const centrifuge = streamClient(t, node, 'http_stream', () => token)
  const token = auth.issue()
  centrifuge.connect()
  await centrifuge.ready()
  t.equal(await node.metric('portcullis_realtime_streams{transport="http_stream"}'), 1)
  t.equal(await node.metric('portcullis_realtime_streams{transport="sse"}'), 0)
  t.equal(await node.metric('portcullis_realtime_connections'), 1)
})

t.test('a node that stops tells its streams to come back', async (t) => {
  const node = await realtimeNode(t, environment)
  const token = auth.issue()
  const centrifuge = streamClient(t, node, 'http_stream', () => token)
  centrifuge.connect()
  await centrifuge.ready()
  const lost = next(centrifuge, 'connecting')
  void node.app.close()
  t.match(await lost, { code: 3001, reason: 'shutdown' })
})
