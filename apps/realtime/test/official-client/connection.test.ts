import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { application } from '../fixtures/application.js'
import { next, type OfficialClient, officialClient, socketOf } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'
import { expiredToken } from '../fixtures/unsigned-token.js'

const auth = await scriptedAuth(t)
const app = await application(t, () => ({ result: {} }))
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  PING_INTERVAL_MS: '1000',
  PONG_TIMEOUT_MS: '500',
  HANDLERS: JSON.stringify({ connect: app.url }),
}
const node = await realtimeNode(t, environment)
const backend = auth.issue({ subject: 'shop', scope: 'tokens:revoke' })

type More = Parameters<typeof officialClient>[3]

/** Records what the client sends; drops messages that the filter rejects. */
function overhear(centrifuge: OfficialClient, filter: (message: string) => boolean = () => true) {
  const socket = socketOf(centrifuge)
  const sent: string[] = []
  const send = socket.send.bind(socket)
  socket.send = (data: string | Buffer) => {
    const message = data.toString()
    sent.push(message)
    if (filter(message)) {
      send(data)
    }
  }
  return sent
}

for (const build of ['json', 'protobuf'] as const) {
  const client = (t: Test, subject: string, more: More = {}): OfficialClient => {
    const token = auth.issue({ subject })
    return officialClient(t, node.wsUrl, () => token, { build, ...more })
  }
  const toSend = (data: unknown): unknown =>
    build === 'json' ? data : Buffer.from(JSON.stringify(data))
  const introduced = (subject: string) =>
    app.requests.map(({ body }) => body).filter(({ user }) => user === subject)

  t.test(`${build}: has states and ready()`, async (t) => {
    const centrifuge = client(t, 'ada')
    const states: string[] = []
    centrifuge.on('state', ({ oldState, newState }) => states.push(`${oldState} ${newState}`))
    await t.rejects(centrifuge.ready(), 'while disconnected')
    centrifuge.connect()
    await centrifuge.ready()
    await centrifuge.ready(1000)
    centrifuge.disconnect()
    t.same(states, ['disconnected connecting', 'connecting connected', 'connected disconnected'])
    centrifuge.connect()
    await centrifuge.ready()
    t.match(await centrifuge.publish('a', toSend(1)), {}, 'connected again')
  })

  t.test(`${build}: sends its name, version and data with each connect`, async (t) => {
    const subject = `teller-${build}`
    const emulated = { headers: { 'x-a': 'b' }, name: 'test', version: '7' }
    const centrifuge = client(t, subject, { ...emulated, data: toSend({ n: 1 }) })
    const connect = async () => {
      centrifuge.connect()
      await centrifuge.ready()
      centrifuge.disconnect()
    }
    await connect()
    centrifuge.setData(toSend({ n: 2 }))
    centrifuge.setHeaders({ 'x-a': 'c' })
    await connect()
    const about = { name: 'test', version: '7' }
    t.match(introduced(subject), [
      { ...about, data: { n: 1 } },
      { ...about, data: { n: 2 } },
    ])

    let asked = 10
    const asking = client(t, `asking-${build}`, {
      getData: async () => {
        asked += 1
        return toSend({ n: asked })
      },
    })
    asking.connect()
    await asking.ready()
    const back = next(asking, 'connected')
    socketOf(asking).terminate()
    await back
    t.match(introduced(`asking-${build}`), [{ data: { n: 11 } }, { data: { n: 12 } }])
  })

  t.test(`${build}: fetches another token when the one in the command is stale`, async (t) => {
    const good = auth.issue()
    let asked = 0
    const centrifuge = client(t, 'ada', {
      token: expiredToken,
      getToken: async () => {
        asked += 1
        return good
      },
    })
    // Commands sent right after `connect` do not interfere.
    const subscription = centrifuge.newSubscription('a')
    subscription.subscribe()
    centrifuge.connect()
    t.match(await next(centrifuge, 'error'), { type: 'connect', error: { code: 109 } })
    await next(subscription, 'subscribed')
    t.equal(asked, 1)
    await auth.revoke({ token: good })
    t.match(await next(centrifuge, 'disconnected'), { code: 4500 }, 'uses the other token')
  })

  t.test(`${build}: uses setToken for the next connection`, async (t) => {
    const tokens = [auth.issue({ subject: 'eve' }), auth.issue({ subject: 'eve' })]
    const [first = '', second = ''] = tokens
    let current = first
    const centrifuge = officialClient(t, node.wsUrl, () => current, {
      build,
      token: first,
      getToken: null,
    })
    centrifuge.connect()
    await centrifuge.ready()
    centrifuge.disconnect()
    current = second
    centrifuge.setToken(second)
    centrifuge.connect()
    await centrifuge.ready()
    await auth.revoke({ token: first })
    t.match(await centrifuge.publish('a', toSend(1)), {})
  })

  t.test(`${build}: sends a batch in one message and gets one reply message`, async (t) => {
    const centrifuge = client(t, 'ada')
    centrifuge.connect()
    await centrifuge.ready()
    const sent = overhear(centrifuge)
    let received = 0
    socketOf(centrifuge).on('message', () => {
      received += 1
    })
    centrifuge.startBatching()
    const calls = ['absent:a', 'absent:b', 'absent:c'].map((channel) =>
      centrifuge.presence(channel).catch(({ code }) => code),
    )
    t.same(sent, [])
    centrifuge.stopBatching()
    t.same(await Promise.all(calls), [103, 103, 103])
    t.equal(sent.length, 1)
    t.equal(received, 1)
  })

  t.test(`${build}: is closed when its pongs are lost, and reconnects`, async (t) => {
    const centrifuge = client(t, 'ada')
    centrifuge.connect()
    await centrifuge.ready()
    // A pong is `{}` or an empty message.
    overhear(centrifuge, (message) => message !== '{}' && message !== '\0')
    t.match(await next(centrifuge, 'connecting'), { code: 3012, reason: 'no pong' })
    await centrifuge.ready()
  })

  t.test(`${build}: reconnects when it receives no ping`, async (t) => {
    const centrifuge = client(t, 'ada', { maxServerPingDelay: 200 })
    centrifuge.connect()
    let reason = 'no pong'
    // A process that stood still may find the server's close behind the reply that made it ready.
    while (reason === 'no pong') {
      await centrifuge.ready()
      socketOf(centrifuge).pause()
      reason = Object(await next(centrifuge, 'connecting')).reason
    }
    t.equal(reason, 'no ping')
    await centrifuge.ready()
  })

  t.test(
    `${build}: stays away after a terminal disconnect, reconnects after another`,
    async (t) => {
      const subject = `told-${build}`
      const centrifuge = client(t, subject)
      centrifuge.connect()
      await centrifuge.ready()
      const away = next(centrifuge, 'connecting')
      const disconnect = { code: 4100, reason: 'elsewhere' }
      await node.api('disconnect', backend, { user: subject, disconnect })
      t.match(await away, disconnect)
      await centrifuge.ready()
      const gone = next(centrifuge, 'disconnected')
      await node.api('disconnect', backend, { user: subject })
      t.match(await gone, { code: 3503 })
    },
  )

  t.test(`${build}: falls back to WebSocket when other transports are refused`, async (t) => {
    const token = auth.issue()
    const plain = await realtimeNode(t, { ...environment, FALLBACK_TRANSPORTS: 'none' })
    const endpoints = [
      { transport: 'http_stream' as const, endpoint: `${plain.url}/connection/http_stream` },
      { transport: 'sse' as const, endpoint: `${plain.url}/connection/sse` },
      { transport: 'websocket' as const, endpoint: plain.wsUrl },
    ]
    for (const { transport, endpoint } of endpoints) {
      if (transport !== 'websocket') {
        t.equal((await fetch(endpoint, { method: 'POST' })).status, 404)
      }
    }
    const centrifuge = officialClient(t, endpoints, () => token, {
      build,
      emulationEndpoint: `${plain.url}/emulation`,
    })
    const connected = next<{ transport: string }>(centrifuge, 'connected')
    centrifuge.connect()
    t.match(await connected, { transport: 'websocket' })
    t.match(await centrifuge.publish('a', toSend(1)), {})
  })

  t.test(`${build}: keeps reconnecting until another node answers`, async (t) => {
    const token = auth.issue()
    const dying = await realtimeNode(t, environment)
    let url = dying.wsUrl
    const dialed: number[] = []
    const centrifuge = officialClient(t, url, () => token, {
      build,
      minReconnectDelay: 20,
      maxReconnectDelay: 2000,
      websocket: class extends WebSocket {
        constructor(_url: string, protocols: string | string[] = []) {
          dialed.push(performance.now())
          if (dialed.length === 6) {
            url = node.wsUrl
          }
          super(url, protocols, { headers: { authorization: `Bearer ${token}` } })
        }
      },
    })
    centrifuge.connect()
    await centrifuge.ready()
    const errors: string[] = []
    centrifuge.on('error', ({ type }) => errors.push(type))
    // Imitates a killed process: no close frame, and no server at the address.
    url = 'ws://127.0.0.1:1/'
    for (const socket of dying.app.websocketServer.clients) {
      socket.terminate()
    }
    await next(centrifuge, 'connecting')
    await centrifuge.ready()
    t.equal(dialed.length, 6)
    t.same(errors, Array(4).fill('transport'))
    t.match(await centrifuge.publish('a', toSend(1)), {})
  })
}
