import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { type Auth, auth, type Test } from '../../fixtures/auth.js'
import { hello, listen, node } from '../../fixtures/node.js'

/** Returns a masked text frame (RFC 6455 §5.2) of a short message; the mask is zero. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  const head = Buffer.from([
    0x81,
    0x80 | 126,
    payload.length >> 8,
    payload.length & 0xff,
    0,
    0,
    0,
    0,
  ])
  return Buffer.concat([head, payload])
}

function upgrade(path: string, token: string | undefined): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    '\r\n',
  ].join('\r\n')
}

async function raw(t: Test, self: Auth): Promise<Socket> {
  const { port } = new URL(await listen(self))
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(async () => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Reads from a socket until it closes, or until the text matches. */
async function heard(socket: Socket, until: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (until.test(text)) {
      break
    }
  }
  return text
}

t.test('frames sent right after the upgrade request are handled after admission', async (t) => {
  // NATS secnote-2026-16; @fastify/websocket CVE-2022-39386
  const self = await auth(t)
  const token = await self.tokenWith('feed')
  const socket = await raw(t, self)
  socket.write(
    Buffer.concat([
      Buffer.from(upgrade('/v1/feed', token)),
      frame(JSON.stringify(hello('node-1'))),
      frame(JSON.stringify({ type: 'bye' })),
    ]),
  )
  const text = await heard(socket, /goodbye/)
  t.match(text, /^HTTP\/1.1 101 /)
  t.match(text, /"type":"welcome".*"type":"goodbye"/s)
})

t.test('frames sent after a refused upgrade are ignored, and the socket closes', async (t) => {
  const self = await auth(t)
  const wrong = await self.tokenWith('nodes:read')
  for (const [token, status] of [
    [undefined, 401],
    ['nonsense', 401],
    [wrong, 403],
  ] as const) {
    const socket = await raw(t, self)
    const frames = frame(JSON.stringify(hello('intruder')))
    socket.write(Buffer.concat([Buffer.from(upgrade('/v1/feed', token)), frames]))
    const text = await heard(socket, /\0never\0/)
    t.match(text, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(text, /www-authenticate: Bearer/i)
  }
  const { nodes } = (await self.api(await self.token(), 'GET', '/v1/nodes')).json()
  t.same(nodes, [])
})

t.test('refuses upgrades on every other path', async (t) => {
  const self = await auth(t)
  const token = await self.token()
  for (const path of [
    '/v1/nodes',
    '/health',
    '/docs',
    '/v1/feed/',
    '//v1/feed',
    '/V1/FEED',
    '/x',
  ]) {
    const socket = await raw(t, self)
    socket.write(upgrade(path, token))
    t.match(await heard(socket, /\0never\0/), /^HTTP\/1.1 4/, path)
  }
})

t.test('answers 426 to a request for the feed without an upgrade', async (t) => {
  const self = await auth(t)
  const answer = await self.api(await self.tokenWith('feed'), 'GET', '/v1/feed')
  t.equal(answer.statusCode, 426)
  t.equal(answer.json().code, 'upgrade_required')
})

t.test('takes a token only from the header', async (t) => {
  // RFC 9700 §4.3.2
  const self = await auth(t)
  const token = await self.token()
  for (const path of [`/v1/nodes?access_token=${token}`, `/v1/nodes?token=${token}`]) {
    const answer = await self.api(undefined, 'GET', path)
    t.equal(answer.statusCode, 401)
  }
  await t.rejects(node(t, self, 'nonsense'), /401/)
})

t.test('survives peers that reset during admission', async (t) => {
  const self = await auth(t)
  const token = await self.tokenWith('feed')
  for (let n = 0; n < 20; n++) {
    const socket = await raw(t, self)
    socket.write(Buffer.concat([Buffer.from(upgrade('/v1/feed', token)), frame('{}')]))
    socket.resetAndDestroy()
  }
  t.equal((await self.api(undefined, 'GET', '/health')).statusCode, 200)
})
