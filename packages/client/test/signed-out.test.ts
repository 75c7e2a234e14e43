import type { Centrifuge } from 'centrifuge'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../src/connect.js'
import { dialWithHeader } from '../src/node.js'
import type { SignedOut } from '../src/signed-out.js'
import { tokenSource } from '../src/token-source.js'
import { realtimeServer, type Script } from './fixtures/realtime-server.js'
import { type CannedResponse, token, tokenServer } from './fixtures/token-server.js'

interface Scene {
  realtime?: Script
  respond?: (n: number) => CannedResponse
}

/** Connects a client, and records what `onSignedOut` is told. */
async function start(t: Test, { realtime = {}, respond = token }: Scene) {
  const auth = await tokenServer(t, respond)
  const server = await realtimeServer(t, realtime)
  const told: SignedOut[] = []
  const centrifuge = connect(server.url, {
    minReconnectDelay: 1,
    maxReconnectDelay: 5,
    tokens: tokenSource({ url: auth.url }),
    dial: dialWithHeader(WebSocket),
    onSignedOut: (signedOut) => told.push(signedOut),
  })
  t.teardown(() => centrifuge.disconnect())
  return { centrifuge, server, told }
}

const disconnected = (centrifuge: Centrifuge) =>
  new Promise((resolve) => centrifuge.once('disconnected', resolve))

for (const [code, reason] of [
  [4500, 'revoked'],
  [3500, 'invalid_token'],
  [3503, 'disconnected'],
  [4501, 'disconnected'],
] as const) {
  t.test(`a close with ${code} signs the user out once: ${reason}`, async (t) => {
    const { centrifuge, told } = await start(t, {
      realtime: { onConnect: (socket) => socket.close(code, 'said the server') },
    })
    await disconnected(centrifuge)
    t.same(told, [{ reason, code, message: 'said the server' }])
  })
}

for (const code of [3501, 3504, 3506]) {
  t.test(`a close with ${code} stops the client and signs no user out`, async (t) => {
    const { centrifuge, told } = await start(t, {
      realtime: { onConnect: (socket) => socket.close(code, 'said the server') },
    })
    await disconnected(centrifuge)
    t.same(told, [])
  })
}

for (const status of [401, 403]) {
  t.test(`a token endpoint that answers ${status} signs the user out once`, async (t) => {
    const { centrifuge, told } = await start(t, { respond: () => ({ status, body: '' }) })
    await disconnected(centrifuge)
    t.match(told, [{ reason: 'refused', error: { code: 'refused', status } }])
    t.equal(told.length, 1)
  })
}

t.test('a refused refresh signs the user out once', async (t) => {
  const { centrifuge, told } = await start(t, {
    realtime: { ttl: 0.01 },
    respond: (n) => (n === 1 ? token(n) : { status: 401, body: { error: 'revoked' } }),
  })
  await disconnected(centrifuge)
  t.match(told, [{ reason: 'refused', error: { code: 'revoked' } }])
  t.equal(told.length, 1)
})

t.test('a wrong address or scope of the token endpoint signs no user out', async (t) => {
  for (const [status, error] of [
    [404, 'not_found'],
    [400, 'invalid_request'],
    [400, 'invalid_scope'],
  ] as const) {
    const { centrifuge, told } = await start(t, { respond: () => ({ status, body: { error } }) })
    await disconnected(centrifuge)
    t.same(told, [], `${status} ${error}`)
  }
})

t.test('neither the application nor a failing network signs the user out', async (t) => {
  const { centrifuge, server, told } = await start(t, {})
  await new Promise<void>((resolve) => centrifuge.once('connected', () => resolve()))
  const again = new Promise<void>((resolve) => centrifuge.once('connected', () => resolve()))
  server.dropAll()
  await again
  const ended = disconnected(centrifuge)
  centrifuge.disconnect()
  await ended
  t.same(told, [])
})

t.test('a session that begins anew and ends is told of again', async (t) => {
  const { centrifuge, told } = await start(t, {
    realtime: { onConnect: (socket) => socket.close(4500, 'token revoked') },
  })
  await disconnected(centrifuge)
  centrifuge.connect()
  await disconnected(centrifuge)
  t.equal(told.length, 2)
})
