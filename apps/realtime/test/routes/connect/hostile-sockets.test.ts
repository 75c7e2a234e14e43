import { once } from 'node:events'
import t, { type Test } from 'tap'
import { connected, dial, refused } from '../../fixtures/dial.js'
import { frame, opcodes, RawSocket, upgradeRequest } from '../../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

// Violations of RFC 6455 (frames, fragments, UTF-8, close codes) are in test/rfc6455, limits in
// refusals/limits.test.ts, origins and subprotocols in connect.test.ts.

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  CONNECT_DEADLINE_MS: '300',
  PING_INTERVAL_MS: '3600000',
})
const bystander = await connected(node.wsUrl, auth.issue({ subject: 'bystander' }))

/** Checks that the process and another connection still work. */
async function lives(t: Test): Promise<void> {
  const reply = await bystander.call({ id: 9, publish: { channel: 'alive', data: 1 } })
  t.same(reply, { id: 9, publish: {} }, 'another connection still works')
}

const upgrade = (token: string) => upgradeRequest(node.port, token)

t.test('holds frames right after the upgrade request until admission, and runs them', async (t) => {
  let answer = () => {}
  auth.hold = new Promise((resolve) => {
    answer = resolve
  })
  const published = await node.metric('portcullis_realtime_published_total')
  const asked = auth.introspected
  const raw = await RawSocket.dial(t, node.port)
  const connect = '{"id":1,"connect":{}}\n{"id":2,"publish":{"channel":"early","data":1}}'
  raw.send(Buffer.concat([Buffer.from(upgrade(auth.issue())), frame(opcodes.text, connect)]))
  while (auth.introspected === asked) {
    await new Promise(setImmediate)
  }
  raw.send(frame(opcodes.text, '{"id":3,"unsubscribe":{"channel":"x"}}'))
  t.equal(
    await node.metric('portcullis_realtime_published_total'),
    published,
    'no command ran before admission',
  )
  auth.hold = undefined
  answer()
  t.match(await raw.head(), /^HTTP\/1\.1 101 /)
  const ids = new Set<number>()
  while (ids.size < 3) {
    for (const line of String((await raw.next())?.payload).split('\n')) {
      ids.add(JSON.parse(line).id)
    }
  }
  t.same([...ids].sort(), [1, 2, 3], 'all commands get a reply')
  await lives(t)
})

t.test('ignores frames right after a refused upgrade', async (t) => {
  const published = await node.metric('portcullis_realtime_published_total')
  const raw = await RawSocket.dial(t, node.port)
  const connect = '{"id":1,"connect":{}}\n{"id":2,"publish":{"channel":"early","data":1}}'
  raw.send(Buffer.concat([Buffer.from(upgrade('bad')), frame(opcodes.text, connect)]))
  t.match(await raw.rest(), /^HTTP\/1\.1 401 /, 'the socket is closed at once')
  t.equal(await node.metric('portcullis_realtime_published_total'), published)
  await lives(t)
})

t.test('closes the socket of every refused upgrade', async (t) => {
  const good = auth.issue()
  const requests: [string, RegExp][] = [
    [upgrade('bad'), / 401 /],
    [upgrade(good).replace('websocket HTTP', 'nowhere HTTP'), / 404 /],
    [upgrade(good).replace('GET', 'POST'), / 404 /],
    [upgrade(good).replace('/connection/websocket', '/health'), / 404 /],
    [upgrade(good).replace('GET /connection/websocket', 'POST /api/info'), / 404 /],
    [upgrade(good).replace('\r\nHost', '\r\nOrigin: null\r\nHost'), / 403 /],
    [upgrade(good).replace(/Sec-WebSocket-Key: .*/, 'Sec-WebSocket-Key: x'), / 400 /],
    [upgrade(good).replace('Version: 13', 'Version: 7'), / 400 /],
    [upgrade(good).replace('/connection/', '//connection/'), / 404 /],
    [upgrade(good).replace('/connection/websocket', '/%zz'), / 400 /],
  ]
  for (const [request, status] of requests) {
    const raw = await RawSocket.dial(t, node.port)
    raw.send(Buffer.from(request))
    t.match((await raw.rest()).split('\r\n')[0], status)
  }
})

t.test('counts refused upgrades by reason', async (t) => {
  const count = (result: string) =>
    node.metric(`portcullis_realtime_admissions_total{result="${result}"}`)
  const before = await count('invalid_token')
  await refused(node.wsUrl, { headers: { authorization: 'Bearer bad' } })
  t.equal(await count('invalid_token'), before + 1)
  const missing = await count('missing_token')
  await refused(node.wsUrl)
  t.equal(await count('missing_token'), missing + 1)
})

t.test('bounds headers before introspection', async (t) => {
  const asked = auth.introspected
  const floods = {
    'a large header': `X-Large: ${'x'.repeat(20_000)}`,
    'very many headers': Array.from({ length: 5000 }, (_, at) => `X-${at}: y`).join('\r\n'),
    'a large token': `Sec-WebSocket-Protocol: portcullis, bearer.${'x'.repeat(20_000)}`,
  }
  for (const [name, header] of Object.entries(floods)) {
    const raw = await RawSocket.dial(t, node.port)
    raw.send(Buffer.from(upgradeRequest(node.port, auth.issue(), [header])))
    t.match((await raw.rest()).split('\r\n')[0], / 431 /, name)
  }
  for (const [name, lines] of Object.entries({
    'two tokens': [`Authorization: Bearer ${auth.issue()}`],
    'a body': ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    'a folded line': ['X-Folded: a', ' b'],
    'an invalid name': ['X Space: a'],
    'a zero byte': ['X-Zero: a\0b'],
  })) {
    const raw = await RawSocket.dial(t, node.port)
    raw.send(Buffer.from(upgradeRequest(node.port, auth.issue(), lines)))
    t.match((await raw.rest()).split('\r\n')[0], / 400 /, name)
  }
  t.equal(auth.introspected, asked)
  await lives(t)
})

t.test('does not wait for slow headers or bodies', async (t) => {
  const { headersTimeout, requestTimeout } = node.app.server
  for (const limit of [headersTimeout, requestTimeout]) {
    t.ok(limit > 0 && limit <= 60_000)
  }
})

t.test('closes a client that floods pings before the pongs fill memory', async (t) => {
  const { raw } = await RawSocket.open(t, node.port, auth.issue())
  raw.send(frame(opcodes.text, '{"id":1,"connect":{}}'))
  await raw.next()
  raw.socket.pause()
  const pings = Buffer.concat(
    Array.from({ length: 20_000 }, () => frame(opcodes.ping, 'x'.repeat(120))),
  )
  raw.send(pings)
  raw.socket.resume()
  await new Promise((resolve) => raw.socket.once('close', resolve))
  t.ok(raw.socket.bytesRead < 100_000, `${raw.socket.bytesRead} bytes received`)
  await lives(t)
})

t.test('closes a client that never sends connect', async (t) => {
  const peer = dial(node.wsUrl, auth.issue())
  t.same(await peer.closed, { code: 3502, reason: 'stale' })
})

t.test('closes with 1009 on an oversized message', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  peer.socket.send(JSON.stringify({ id: 2, rpc: { data: 'x'.repeat(270_000) } }))
  t.equal((await peer.closed).code, 1009)
  await lives(t)
})

t.test('bounds channels, commands in a frame, and channel names', async (t) => {
  const many = await connected(node.wsUrl, auth.issue())
  for (let at = 0; at < 130; at += 1) {
    many.send({ id: at + 2, subscribe: { channel: `c${at}` } })
  }
  const replies = []
  for (let at = 0; at < 130; at += 1) {
    replies.push(await many.next())
  }
  const failed = replies.filter((reply) => 'error' in reply)
  t.equal(failed.length, 2)
  t.match(failed, [{ error: { code: 106 } }, { error: { code: 106 } }])
  many.socket.send('{"id":1,"rpc":{}}\n'.repeat(300))
  t.equal((await many.closed).code, 3501, 'commands in one frame')

  const long = await connected(node.wsUrl, auth.issue())
  const reply = await long.call({ id: 2, subscribe: { channel: 'x'.repeat(256) } })
  t.match(reply, { error: { code: 107 } }, 'names')
})

t.test('replies to deep nesting without a crash', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  peer.socket.send(`{"id":2,"publish":{"channel":"a","data":${deep}}}`)
  const reply = await peer.next()
  t.equal(reply['id'], 2)
  await lives(t)
})

t.test('refuses upgrades of a full node before introspection', async (t) => {
  const full = await realtimeNode(t, {
    AUTH_URL: auth.url,
    REDIS_PREFIX: randomPrefix(),
    MAX_CONNECTIONS: '1',
  })
  const token = auth.issue()
  const first = await connected(full.wsUrl, token)
  const asked = auth.introspected
  const { status, headers } = await refused(full.wsUrl, {
    headers: { authorization: `Bearer ${token}` },
  })
  t.equal(status, 503)
  t.match(headers['retry-after'], /^[1-5]$/)
  t.equal(auth.introspected, asked)
  first.socket.close()
  await first.closed
  const second = await connected(full.wsUrl, token)
  t.equal(second.socket.readyState, second.socket.OPEN, 'a place is free again')
})

t.test('bounds upgrades that wait for auth, and frees their places', async (t) => {
  const few = await realtimeNode(t, {
    AUTH_URL: auth.url,
    REDIS_PREFIX: randomPrefix(),
    MAX_ADMISSIONS: '1',
  })
  let answer = () => {}
  auth.hold = new Promise((resolve) => {
    answer = resolve
  })
  const asked = auth.introspected
  const waiting = dial(few.wsUrl, auth.issue())
  while (auth.introspected === asked) {
    await new Promise(setImmediate)
  }
  const next = connected(few.wsUrl, auth.issue())
  auth.hold = undefined
  answer()
  await once(waiting.socket, 'open')
  await next
})
