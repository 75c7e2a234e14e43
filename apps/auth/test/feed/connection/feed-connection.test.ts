import { once } from 'node:events'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { hello, joined, node, nodeToken, revocations } from '../../fixtures/node.js'

t.test('a receipt is complete after the node has acknowledged its revocation', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  const waiting = self.api(admin, 'POST', '/v1/revocations', { identity: 'x', wait: 60_000 })
  const message = await one.next()
  t.match(message, { type: 'events', revocations: [{ selector: { identity: 'x' } }] })
  const [id = ''] = message.type === 'events' ? message.revocations.map((event) => event.id) : []
  const before = await self.api(admin, 'GET', `/v1/revocations/${id}`)
  t.match(before.json(), { complete: false, nodes: [{ node: 'node-1', state: 'pending' }] })
  const acked = [{ id, connectionsClosed: 7 }]
  one.send({ type: 'ack', cursor: one.cursor(), revocations: acked })
  t.match((await waiting).json(), {
    id,
    complete: true,
    nodes: [{ node: 'node-1', state: 'acked', connectionsClosed: 7, ms: Number }],
  })
})

t.test('acknowledgements at one instance complete a receipt that waits at another', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const admin = await self.token()
  const here = await joined(t, self, 'node-1')
  const there = await joined(t, other, 'node-2')
  const waiting = other.api(admin, 'POST', '/v1/revocations', { identity: 'x', wait: 60_000 })
  for (const one of [here, there]) {
    const [id] = await one.events(1)
    one.send({ type: 'ack', cursor: one.cursor(), revocations: [{ id, connectionsClosed: 1 }] })
  }
  t.match((await waiting).json(), { complete: true, nodes: { length: 2 } })
})

t.test('bye is recorded and answered, and later receipts do not wait for the node', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  const nodes = () => self.api(admin, 'GET', '/v1/nodes')
  t.match((await nodes()).json().nodes, [{ node: 'node-1', connected: true, pending: 0 }])
  one.send({ type: 'bye' })
  t.same(await one.next(), { type: 'goodbye' })
  t.match(await one.closed, { code: 1000 })
  t.same((await nodes()).json().nodes, [])
  const answer = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x' })
  t.match(answer.json(), { complete: true, nodes: [] })
})

t.test('a node that is gone without bye stays in the list as not connected', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  one.socket.terminate()
  for (;;) {
    const { nodes } = (await self.api(admin, 'GET', '/v1/nodes')).json()
    t.equal(nodes.length, 1)
    if (!nodes[0].connected) {
      break
    }
  }
  const answer = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x', wait: 10 })
  t.match(answer.json(), { complete: false, nodes: [{ state: 'pending' }] })
})

t.test(
  'a lost ack can be repeated after a reconnect, and a hello does not replace it',
  async (t) => {
    const self = await auth(t)
    const admin = await self.token()
    const one = await joined(t, self, 'node-1')
    const [id = ''] = await revocations(self, admin, 1)
    await one.events(1)
    one.socket.terminate()
    const back = await joined(t, self, 'node-1', { cursor: one.cursor() })
    const receipt = async () => (await self.api(admin, 'GET', `/v1/revocations/${id}`)).json()
    t.match(await receipt(), { complete: false }, 'the hello alone completes nothing')
    const revoked = [{ id, connectionsClosed: 3 }]
    back.send({ type: 'ack', cursor: one.cursor(), revocations: revoked })
    back.send({ type: 'bye' })
    await back.closed
    t.match(await receipt(), { complete: true, nodes: [{ state: 'acked', connectionsClosed: 3 }] })
  },
)

t.test(
  "the connection ends when the node's token is revoked, before and after hello",
  async (t) => {
    const self = await auth(t)
    const other = await self.another()
    const admin = await self.token()
    for (const saidHello of [false, true]) {
      const identity = await self.identity(['feed'])
      const one = await node(t, self, await self.token(identity))
      if (saidHello) {
        one.send(hello('node-1'))
        await one.welcome()
      }
      await other.api(admin, 'POST', '/v1/revocations', { identity: identity.identity })
      t.match(await one.closed, { code: 4401 })
    }
  },
)

t.test(
  'a node whose own token is revoked receives the event before the connection ends',
  async (t) => {
    const self = await auth(t)
    const one = await joined(t, self, 'node-1')
    const answer = await self.api(await self.token(), 'POST', '/v1/revocations', { all: true })
    t.same(await one.events(1), [answer.json().id])
    t.match(await one.closed, { code: 4401 })
    const back = await node(t, self, await nodeToken(self))
    back.send(hello('node-1', { cursor: one.cursor() }))
    await back.welcome()
    back.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
    back.send({ type: 'bye' })
    await back.closed
    const receipt = await self.api(await self.token(), 'GET', answer.headers.location ?? '')
    t.match(receipt.json(), { complete: true })
  },
)

t.test("the connection ends when the node's token expires", async (t) => {
  const self = await auth(t)
  const one = await node(
    t,
    self,
    await self.token(await self.identity(['feed'], { tokenTtlSeconds: 1 })),
  )
  one.send(hello('node-1'))
  await one.welcome()
  t.match(await one.closed, { code: 4401 })
})

t.test('a malformed message closes the connection with 4400', async (t) => {
  const self = await auth(t)
  const token = await self.tokenWith('feed')
  const wrong = [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"type":"nonsense"}',
    JSON.stringify({ type: 'bye' }),
    JSON.stringify({ type: 'ack', cursor: '0-0', revocations: [] }),
    JSON.stringify({ ...hello('node'), node: '' }),
    JSON.stringify({ ...hello('node'), secret: 'x' }),
    JSON.stringify({ ...hello('node'), cursor: 'x' }),
    JSON.stringify({ ...hello('node'), more: 1 }),
    JSON.stringify({ type: '__proto__' }),
  ]
  for (const text of wrong) {
    const one = await node(t, self, token)
    one.send(text)
    t.match(await one.closed, { code: 4400 }, text)
  }
  const binary = await node(t, self, token)
  binary.socket.send(Buffer.from(JSON.stringify(hello('node'))), { binary: true })
  t.match(await binary.closed, { code: 4400 }, 'binary')
  const twice = await joined(t, self, 'twice')
  twice.send(hello('twice'))
  t.match(await twice.closed, { code: 4400 }, 'a second hello')
  const wrongCursor = await joined(t, self, 'cursor')
  wrongCursor.send({ type: 'ack', cursor: '0-0,0-0', revocations: [] })
  t.match(await wrongCursor.closed, { code: 4400 }, 'a cursor of other partitions')
  await joined(t, self, 'after')
})

t.test('closes a connection with too large a message, and takes the largest ack', async (t) => {
  const self = await auth(t)
  const large = await joined(t, self, 'large')
  large.send('x'.repeat(256 * 1024 + 1))
  t.match(await large.closed, { code: 1009 })
  const fragmented = await joined(t, self, 'fragmented')
  for (let n = 0; n < 40; n++) {
    fragmented.socket.send('x'.repeat(8192), { fin: false })
  }
  t.match(await fragmented.closed, { code: 1009 })
  const maxAcked = Array.from({ length: 1024 }, () => ({
    id: '0-AAAAAAAAAAAAAAAAAAAAAA',
    connectionsClosed: 1,
  }))
  const one = await joined(t, self, 'max')
  one.send({ type: 'ack', cursor: '0-0', revocations: maxAcked })
  one.send({ type: 'bye' })
  t.match(await one.next(), { type: 'goodbye' }, 'as many as the contract allows')
})

t.test('a node that says no hello is sent away', async (t) => {
  const self = await auth(t, { FEED_HELLO_MS: '20' })
  const one = await node(t, self, await nodeToken(self))
  t.match(await one.closed, { code: 4400, reason: /hello/ })
})

t.test('a dead peer is cut off, a live one stays connected', async (t) => {
  const self = await auth(t, { FEED_PING_INTERVAL_MS: '50' })
  const live = await joined(t, self, 'live')
  const dead = await joined(t, self, 'dead')
  // A paused socket answers no ping.
  dead.socket.pause()
  let pings = 0
  live.socket.on('ping', () => {
    pings += 1
  })
  while (self.app.feedHub.nodes === 2) {
    await once(live.socket, 'ping')
  }
  t.ok(pings >= 2)
  t.equal(live.socket.readyState, live.socket.OPEN)
})

t.test(
  'closing sends nodes away with 1001, and does not wait for one that does not read',
  async (t) => {
    const self = await auth(t, { CLOSE_DEADLINE_MS: '400' })
    const live = await joined(t, self, 'live')
    const paused = await joined(t, self, 'paused')
    const silent = await node(t, self, await nodeToken(self))
    paused.socket.pause()
    const closing = self.app.close()
    await Promise.all([closing, self.app.close()])
    t.match(await live.closed, { code: 1001 })
    t.match(await silent.closed, { code: 1001 })
  },
)
