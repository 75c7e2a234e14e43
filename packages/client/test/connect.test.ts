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

/** As a browser's class: it tells nothing of why a socket did not open. */
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
  'a browser carries the token as a subprotocol, Node in a header, nobody in a frame',
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
      t.notMatch(JSON.stringify(realtime.commands), wanted, 'the token is in no frame')
    }
  },
)

t.test('the Protobuf build offers its subprotocol beside the token', async (t) => {
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

t.test('a terminal answer of auth stops the Protobuf build too', async (t) => {
  const auth = await tokenServer(t, () => ({ status: 403, body: { error: 'revoked' } }))
  const realtime = await realtimeServer(t, {})
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = connect(realtime.url, { ...fast, tokens, dial: header, build: protobuf })
  const disconnected = new Promise((resolve) => centrifuge.once('disconnected', resolve))
  t.match(await disconnected, { code: 1, reason: 'unauthorized' })
})

t.test('each dial asks the source, so a token that ended meanwhile is not used', async (t) => {
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
    'kept while it lasts, replaced after the sleep',
  )
})

for (const [name, dial] of [
  ['Node', header],
  ['a browser', browser],
] as const) {
  t.test(`after a refused upgrade ${name} dials with a fresh token`, async (t) => {
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

t.test('while a node is down, a browser does not ask auth at each dial', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: (n) => (n < 8 ? 503 : undefined) })
  const tokens = tokenSource({ url: auth.url })
  await next(client(t, realtime.url, { tokens, dial: browser }), 'connected')
  t.equal(realtime.dialed.length, 8)
  t.equal(auth.asked.length, 2, 'once at first, once in doubt')
})

t.test('a node that cannot ask auth (503) costs no token in Node', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: (n) => (n < 5 ? 503 : undefined) })
  const tokens = tokenSource({ url: auth.url })
  await next(client(t, realtime.url, { tokens, dial: header }), 'connected')
  t.equal(auth.asked.length, 1)
})

t.test('a terminal answer of auth stops the client for good, with a code to read', async (t) => {
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
    t.equal(auth.asked.length, 1)
    t.equal(realtime.dialed.length, 0, 'no dial without a token')
  }
})

t.test('a revoked token ends the client; connecting again takes another token', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, {
    onConnect: (socket, n) => n === 1 && socket.close(4500, 'token revoked'),
  })
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  t.match(await next(centrifuge, 'disconnected'), { code: 4500, reason: 'token revoked' })
  t.equal(realtime.dialed.length, 1, 'it did not come back by itself')
  centrifuge.connect()
  await next(centrifuge, 'connected')
  t.equal(realtime.dialed[1]?.token, 'token-2')
})

t.test('a fixed token that is refused stops the client', async (t) => {
  const realtime = await realtimeServer(t, { refuse: () => 401 })
  const tokens = fixedToken('only-one')
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  t.match(await next(centrifuge, 'disconnected'), { code: 1 })
  t.equal(tokens.ended?.code, 'refused')
  t.equal(realtime.dialed.length, 1)
})

t.test('an upgrade answered 403 stops the client in Node', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { refuse: () => 403 })
  const tokens = tokenSource({ url: auth.url })
  const centrifuge = client(t, realtime.url, { tokens, dial: header })
  const error = next(centrifuge, 'error')
  await next(centrifuge, 'disconnected')
  t.match(await error, { code: 403 })
  t.equal(realtime.dialed.length, 1)
})

t.test('the announced end of a token is met with a refresh by another token', async (t) => {
  const auth = await tokenServer(t, token)
  const realtime = await realtimeServer(t, { ttl: 0.01 })
  const refreshed = realtime.refreshed()
  client(t, realtime.url, { tokens: tokenSource({ url: auth.url }), dial: header })
  t.same(await refreshed, ['token-2'])
  t.equal(realtime.dialed.length, 1, 'on the same socket')
})

t.test('after a refresh, the next dial still asks the source', async (t) => {
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
    'the token of the refresh ended in sleep',
  )
})

t.test('without a WebSocket class it says what to pass', async (t) => {
  t.intercept(globalThis, 'WebSocket', { value: undefined })
  t.throws(() => connect('ws://127.0.0.1:1', { tokens: fixedToken('x') }), /pass `dial`/)
})

t.test('auth away: the client keeps asking, and connects when it is back', async (t) => {
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
