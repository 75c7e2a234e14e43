import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as dialTcp, type Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { connected, dial, refused } from '../fixtures/dial.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  CONNECT_DEADLINE_MS: '300',
})
const bystander = await connected(node.wsUrl, auth.issue({ subject: 'bystander' }))

/** The process and the other connections still work. */
async function lives(t: Test): Promise<void> {
  const reply = await bystander.call({ id: 9, publish: { channel: 'alive', data: 1 } })
  t.same(reply, { id: 9, publish: {} }, 'another connection still works')
}

/** A masked client frame (RFC 6455 §5.2). */
function frame(opcode: number, payload: Buffer | string, fin = true): Buffer {
  const bytes = Buffer.from(payload)
  const mask = randomBytes(4)
  const masked = bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  const first = (fin ? 0x80 : 0) | opcode
  const head =
    bytes.length < 126
      ? Buffer.from([first, 0x80 | bytes.length])
      : Buffer.from([first, 0x80 | 126, bytes.length >> 8, bytes.length & 0xff])
  return Buffer.concat([head, mask, masked])
}

function upgrade(token: string): string {
  return [
    'GET /connection/websocket HTTP/1.1',
    `Host: 127.0.0.1:${node.port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Authorization: Bearer ${token}`,
    '',
    '',
  ].join('\r\n')
}

async function tcp(t: Test): Promise<Socket> {
  const socket = dialTcp(node.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Reads until the text is there, or the socket ends; gives all that was read. */
async function readUntil(socket: Socket, text: string): Promise<string> {
  let all = ''
  for await (const chunk of socket) {
    all += chunk.toString('latin1')
    if (all.includes(text)) break
  }
  return all
}

t.test('frames right behind the upgrade wait for the admission, and are not lost', async (t) => {
  let answer = () => {}
  auth.hold = new Promise((resolve) => {
    answer = resolve
  })
  const published = await node.metric('realtime_published_total')
  const asked = auth.introspected
  const socket = await tcp(t)
  const connect = '{"id":1,"connect":{}}\n{"id":2,"publish":{"channel":"early","data":1}}'
  socket.write(Buffer.concat([Buffer.from(upgrade(auth.issue())), frame(1, connect)]))
  while (auth.introspected === asked) await new Promise(setImmediate)
  socket.write(frame(1, '{"id":3,"rpc":{}}'))
  t.equal(await node.metric('realtime_published_total'), published, 'nothing was acted on')
  auth.hold = undefined
  answer()
  const answered = await readUntil(socket, '"id":3')
  t.match(answered, /^HTTP\/1\.1 101 /)
  t.match(answered, '"id":1,"connect"')
  await lives(t)
})

t.test('frames right behind an upgrade that is refused do nothing', async (t) => {
  const published = await node.metric('realtime_published_total')
  const socket = await tcp(t)
  const connect = '{"id":1,"connect":{}}\n{"id":2,"publish":{"channel":"early","data":1}}'
  socket.write(Buffer.concat([Buffer.from(upgrade('bad')), frame(1, connect)]))
  const answered = await readUntil(socket, 'never')
  t.match(answered, /^HTTP\/1\.1 401 /, 'and the socket closed at once')
  t.equal(await node.metric('realtime_published_total'), published)
  await lives(t)
})

t.test('every refused upgrade closes its socket', async (t) => {
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
    const socket = await tcp(t)
    socket.write(request)
    t.match((await readUntil(socket, 'never')).split('\r\n')[0], status)
  }
})

t.test('a client that never says connect is closed', async (t) => {
  const peer = dial(node.wsUrl, auth.issue())
  t.same(await peer.closed, { code: 3502, reason: 'stale' })
})

t.test('an oversized message ends its sender with 1009', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  peer.socket.send(JSON.stringify({ id: 2, rpc: { data: 'x'.repeat(70_000) } }))
  t.equal((await peer.closed).code, 1009)
  await lives(t)
})

t.test('a fragmented message is bounded as a whole, and empty fragments too', async (t) => {
  const whole = await connected(node.wsUrl, auth.issue())
  whole.socket.send('{"id":2,', { fin: false })
  whole.socket.send('', { fin: false })
  whole.socket.send('"rpc":{}}', { fin: true })
  t.match(await whole.next(), { id: 2, error: { code: 104 } })
  for (let sent = 0; sent < 10; sent += 1) {
    whole.socket.send('x'.repeat(10_000), { fin: false })
  }
  t.equal((await whole.closed).code, 1009)

  const empty = await connected(node.wsUrl, auth.issue())
  for (let sent = 0; sent < 2000; sent += 1) empty.socket.send('', { fin: false })
  t.equal((await empty.closed).code, 1008)
  await lives(t)
})

t.test('what is no WebSocket frame, no text or no code ends its sender', async (t) => {
  const bad: [string, Buffer, number][] = [
    ['reserved opcode', frame(3, ''), 1002],
    ['unmasked', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
    [
      'compressed though not agreed',
      Buffer.concat([Buffer.from([0xc1, 0x80]), randomBytes(4)]),
      1002,
    ],
    ['invalid UTF-8', frame(1, Buffer.from([0xc3, 0x28])), 1007],
    ['close reason too long', frame(8, Buffer.alloc(200, 'x')), 1002],
    ['close with a code that must not be sent', frame(8, Buffer.from([0x03, 0xed])), 1002],
    ['binary', frame(2, '{}'), 3506],
    ['declared to be larger than memory', Buffer.from('81ff7fffffffffffffff', 'hex'), 1009],
  ]
  for (const [name, bytes, code] of bad) {
    const socket = await tcp(t)
    socket.write(
      Buffer.concat([Buffer.from(upgrade(auth.issue())), frame(1, '{"id":1,"connect":{}}')]),
    )
    await skipUntil(socket, '"connect"')
    socket.write(bytes)
    const [data] = await once(socket, 'data')
    t.equal(data[0], 0x88, `${name}: a close frame`)
    t.equal(data.readUInt16BE(2), code, name)
  }
  await lives(t)
})

t.test('a long close reason is the sender’s own business', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  peer.socket.close(4999, 'x'.repeat(123))
  t.equal((await peer.closed).code, 4999)
  await lives(t)
})

t.test('counts are bounded', async (t) => {
  const many = await connected(node.wsUrl, auth.issue())
  for (let at = 0; at < 130; at += 1) many.send({ id: at + 2, subscribe: { channel: `c${at}` } })
  const replies = []
  for (let at = 0; at < 130; at += 1) replies.push(await many.next())
  const failed = replies.filter((reply) => 'error' in reply)
  t.equal(failed.length, 2)
  t.match(failed, [{ error: { code: 106 } }, { error: { code: 106 } }])
  many.socket.send('{"id":1,"rpc":{}}\n'.repeat(300))
  t.equal((await many.closed).code, 3501, 'commands in one frame')

  const long = await connected(node.wsUrl, auth.issue())
  const reply = await long.call({ id: 2, subscribe: { channel: 'x'.repeat(256) } })
  t.match(reply, { error: { code: 107 } }, 'names')
})

t.test('deep nesting is an answer, not a crash', async (t) => {
  const peer = await connected(node.wsUrl, auth.issue())
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  peer.socket.send(`{"id":2,"publish":{"channel":"a","data":${deep}}}`)
  const reply = await peer.next()
  t.equal(reply['id'], 2)
  await lives(t)
})

t.test(
  'any command, text or bytes: the process lives, the peer gets a reply or a code',
  async (t) => {
    const names = ['connect', 'subscribe', 'unsubscribe', 'publish', 'refresh', 'presence', 'rpc']
    const command = fc
      .tuple(
        fc.oneof(fc.integer({ min: 1, max: 9 }), fc.jsonValue()),
        fc.constantFrom(...names, 'history', 'send', 'ping', 'x'),
        fc.oneof(fc.jsonValue(), fc.record({ channel: fc.string(), data: fc.jsonValue() })),
      )
      .map(([id, name, body]) => Buffer.from(JSON.stringify({ id, [name]: body })))
    const message = fc.oneof(
      command,
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (all, binary) => {
          const peer = await connected(node.wsUrl, auth.issue())
          for (const each of all) peer.socket.send(each, { binary })
          peer.socket.close(1000)
          const { code } = await peer.closed
          return [1000, 1007, 3500, 3501, 3506].includes(code)
        },
      ),
      { numRuns: 60 },
    )
    await lives(t)
  },
)

t.test('a full node refuses before it asks auth', async (t) => {
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
  t.equal(second.socket.readyState, second.socket.OPEN, 'there is room again')
})

t.test('upgrades that wait for auth are bounded, and give their place back', async (t) => {
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
  while (auth.introspected === asked) await new Promise(setImmediate)
  const options = { headers: { authorization: `Bearer ${auth.issue()}` } }
  t.equal((await refused(few.wsUrl, options)).status, 503)
  auth.hold = undefined
  answer()
  await once(waiting.socket, 'open')
  await connected(few.wsUrl, auth.issue())
})

/** As `readUntil`, and leaves the socket open for more. */
async function skipUntil(socket: Socket, text: string): Promise<void> {
  let all = ''
  while (!all.includes(text)) {
    const [chunk] = await once(socket, 'data')
    all += chunk.toString('latin1')
  }
}
