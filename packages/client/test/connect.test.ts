import type { Centrifuge } from 'centrifuge'
import * as protobuf from 'centrifuge/build/protobuf'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { type ConnectOptions, connect } from '../src/connect.js'
import { type BrowserWebSocket, dialWithSubprotocol } from '../src/dial.js'
import { dialWithHeader } from '../src/node.js'
import { fixedToken, tokenSource } from '../src/token-source.js'
import { realtimeServer } from './fixtures/realtime-server.js'
import { token, tokenServer } from './fixtures/token-server.js'

const fast = { minReconnectDelay: 1, maxReconnectDelay: 5 }
const header = dialWithHeader(WebSocket)

/** Like a browser's class: it does not report why a socket failed to open. */
const BrowserLike: BrowserWebSocket = class extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols)
    this.on('error', () => undefined)
  }
}
const browser = dialWithSubprotocol(BrowserLike)

function client(t: Test, url: string, options: ConnectOptions): Centrifuge {
  const centrifuge = connect(url, { ...fast, ...options })
  t.teardown(() => centrifuge.disconnect())
  return centrifuge
}

const next = (centrifuge: Centrifuge, event: 'connected' | 'disconnected' | 'error') =>
  new Promise<{ code?: number; reason?: string }>((resolve) => {
    if (event === 'connected') {
      centrifuge.once('connected', () => resolve({}))
    } else if (event === 'disconnected') {
      centrifuge.once('disconnected', resolve)
    } else {
      centrifuge.once('error', ({ error }) => resolve({ code: error.code }))
    }
  })

t.test(
  'sends the token as a subprotocol from a browser, in a header from Node, and never in a frame',
  async (t) => {
    const auth = await tokenServer(t, token)
    for (const dial of [browser, header]) {
      const realtime = await realtimeServer(t, {})
      const tokens = tokenSource({ url: auth.url })
      await next(client(t, realtime.url, { tokens, dial }), 'connected')
      const dialed = realtime.dialed[0]
      const wanted = await tokens.get()
      if (dial === browser) {
        t.same(dialed?.protocols, ['portcullis', `bearer.${wanted}`])
        t.equal(dialed?.authorization, undefined)
      } else {
        t.equal(dialed?.authorization, `Bearer ${wanted}`)
        t.same(dialed?.protocols, [])
      }
      t.notMatch(JSON.stringify(realtime.commands), wanted, 'no frame contains the token')
    }
  },
)

t.test('offers the subprotocol of the Protobuf build beside the token', async (t) => {
  const auth = await tokenServer(t, token)
  for (const dial of [browser, header]) {
    const realtime = await realtimeServer(t, { refuse: () => 503 })
    const tokens = tokenSource({ url: auth.url })
    const centrifuge = connect(realtime.url, { ...fast, tokens, dial, build: protobuf })
    t.type(centrifuge, protobuf.Centrifuge)
    await new Promise((resolve) => centrifuge.once('error', resolve))
    centrifuge.disconnect()
    const bearer = ['portcullis', `bearer.${await tokens.get()}`]
    t.same(realtime.dialed[0]?.protocols, [
      ...(dial === browser ? bearer : []),
      'centrifuge-protobuf',
    ])
  }
})

t.test('stops the Protobuf build after a terminal error of auth', async (t) => {
  const auth = await tokenServer(t, () => ({ status: 403, body: { error: 'revoked' } }))
  const realtime = await realtimeServer(t, {})
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = connect(realtime.url, { ...fast, tokens, dial: header, build: protobuf })
  const disconnected = new Promise((resolve) => centrifuge.once('disconnected', resolve))
  t.match(await disconnected, { code: 1, reason: 'unauthorized' })
})

t.test('asks the source at each dial, so that an expired token is not used', async (t) => {
  let now = Date.now()
  t.intercept(Date, 'now', { value: () => now })
  const auth = await tokenServer(t, (n) => token(n, 60))
  const realtime = await realtimeServer(t, {
    onConnect: (socket, n) => {
      if (n > 2) {
        return
      }
      if (n === 2) {
        now += 8 * 3_600_000
      }
      socket.close(1001)
    },
  })
  const centrifuge = client(t, realtime.url, {
    tokens: tokenSource({ url: auth.url }),
    dial: header,
  })
  for (let n = 0; n < 3; n++) {
    await next(centrifuge, 'connected')
  }
  t.same(
    realtime.dialed.map((dial) => dial.token),
    ['token-1', 'token-1', 'token-2'],
    'keeps a valid token, and replaces it after eight hours of sleep',
  )
})

for (const [name, dial] of [
  ['Node', header],
  ['a browser', browser],
] as const) {
  t.test(`dials with a new token after a refused upgrade in ${name}`, async (t) => {
    const auth = await tokenServer(t, token)
    const realtime = await realtimeServer(t, {
      refuse: (_n, dialed) => (dialed.token === 'token-1' ? 401 : undefined),
    })
    const tokens = tokenSource({ url: auth.url })
    await next(client(t, realtime.url, { tokens, dial }), 'connected')
    t.same(
      realtime.dialed.map((dialed) => dialed.token),
      ['token-1', 'token-2'],
    )
  })
}

t.test('does not ask auth at each dial of a browser while a node is down', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: (n) => (n < 8 ? 503 : undefined) })
  const tokens = tokenSource({ url: auth.url })
  await next(client(t, realtime.url, { tokens, dial: browser }), 'connected')
  t.equal(realtime.dialed.length, 8)
  t.equal(auth.requests.length, 2, 'one request at the start, and one after the first failure')
})

t.test('requests no new token in Node after an upgrade refused with 503', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: (n) => (n < 5 ? 503 : undefined) })
  const tokens = tokenSource({ url: auth.url })
  await next(client(t, realtime.url, { tokens, dial: header }), 'connected')
  t.equal(auth.requests.length, 1)
})

t.test('stops the client after a terminal error of auth, and reports its code', async (t) => {
  for (const [status, body, code] of [
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [403, { error: 'suspended' }, 'suspended'],
    [403, { error: 'revoked' }, 'revoked'],
  ] as const) {
    const auth = await tokenServer(t, () => ({ status, body }))
    const realtime = await realtimeServer(t, {})
    const tokens = tokenSource({ url: auth.url })
    const centrifuge = client(t, realtime.url, { tokens, dial: header })
    const errors: string[] = []
    centrifuge.on('error', ({ type, error }) => errors.push(`${type} ${error.message}`))
    t.match(await next(centrifuge, 'disconnected'), { code: 1, reason: 'unauthorized' })
    t.equal(tokens.ended?.code, code)
    t.match(errors, [new RegExp(`^token ${code}: `)])
    t.equal(auth.requests.length, 1)
    t.equal(realtime.dialed.length, 0, 'does not dial without a token')
  }
})

t.test(
  'stops the client when its token is revoked, and uses a new token to connect again',
  async (t) => {
    const auth = await tokenServer(t, token)
    const realtime = await realtimeServer(t, {
      onConnect: (socket, n) => n === 1 && socket.close(4500, 'token revoked'),
    })
    const tokens = tokenSource({ url: auth.url })
    const centrifuge = client(t, realtime.url, { tokens, dial: header })
    t.match(await next(centrifuge, 'disconnected'), { code: 4500, reason: 'token revoked' })
    t.equal(realtime.dialed.length, 1, 'does not reconnect by itself')
    centrifuge.connect()
    await next(centrifuge, 'connected')
    t.equal(realtime.dialed[1]?.token, 'token-2')
  },
)

t.test('stops the client when a fixed token is refused', async (t) => {
  const realtime = await realtimeServer(t, { refuse: () => 401 })
  const tokens = fixedToken('only-one')
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  t.match(await next(centrifuge, 'disconnected'), { code: 1 })
  t.equal(tokens.ended?.code, 'refused')
  t.equal(realtime.dialed.length, 1)
})

t.test('stops the client in Node when the upgrade is refused with 403', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: () => 403 })
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  const error = next(centrifuge, 'error')
  await next(centrifuge, 'disconnected')
  t.match(await error, { code: 403 })
  t.equal(realtime.dialed.length, 1)
})

t.test('stops the client in a browser when the node refuses the origin of the page', async (t) => {
  const auth = await tokenServer(t, token)
  const plain = { status: 403, body: { code: 'origin_not_allowed' } }
  const realtime = await realtimeServer(t, { refuse: () => 403, plain })
  t.intercept(globalThis, 'origin', { value: 'https://shop.example' })
  const centrifuge = client(t, realtime.url, { tokens: tokenSource(auth), dial: browser })
  const refused = new Promise<string>((resolve) => {
    centrifuge.on('error', ({ type, error: { code, message } }) => {
      if (type === 'upgrade') {
        resolve(`${code} ${message}`)
      }
    })
  })
  await next(centrifuge, 'disconnected')
  t.match(
    await refused,
    /^403 the node refuses connections from the origin https:\/\/shop\.example; .*ORIGINS/,
  )
})

t.test('asks a node only once why dials of a browser fail', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: (n) => (n < 5 ? 401 : undefined) })
  await next(client(t, realtime.url, { tokens: tokenSource(auth), dial: browser }), 'connected')
  t.ok(realtime.plainRequests() <= 1)
})

t.test('refreshes with another token before the announced expiry', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { ttl: 0.01 })
  const refreshed = realtime.refreshed()
  client(t, realtime.url, { tokens: tokenSource({ url: auth.url }), dial: header })
  t.same(await refreshed, ['token-2'])
  t.equal(realtime.dialed.length, 1, 'keeps the socket')
})

t.test('asks the source at the next dial after a refresh', async (t) => {
  let now = Date.now()
  t.intercept(Date, 'now', { value: () => now })
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { ttl: 0.01 })
  const refreshed = realtime.refreshed()
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  t.same(await refreshed, ['token-2'])
  now += 8 * 3_600_000
  realtime.dropAll()
  await next(centrifuge, 'connected')
  t.same(
    realtime.dialed.map((dialed) => dialed.token),
    ['token-1', 'token-3'],
    'does not use the refresh token, which has expired',
  )
})

t.test('retries while auth is unavailable, and connects once it is back', async (t) => {
  const auth = await tokenServer(t, (n) => (n < 4 ? { status: 503, body: '' } : token(n)))
  const realtime = await realtimeServer(t, {})
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  const types: string[] = []
  centrifuge.on('error', ({ type }) => types.push(type))
  await next(centrifuge, 'connected')
  t.same(types, ['connectToken', 'connectToken', 'connectToken'])
  t.equal(realtime.dialed[0]?.token, 'token-4')
})
