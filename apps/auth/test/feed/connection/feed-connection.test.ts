import { once } from 'node:events'
import type { AuditEntry } from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import t from 'tap'
import { leaseTimes } from '../../../src/registry/index.js'
import { auth } from '../../fixtures/auth.js'
import { hello, instanceOf, joined, node, nodeToken, revocations } from '../../fixtures/node.js'

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

t.test('a node that reconnects receives the events it missed, once and in order', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const first = await joined(t, self, 'node-1')
  const known = await revocations(self, admin, 2)
  t.same(await first.events(2), known)
  const cursor = first.cursor()
  first.socket.terminate()
  await first.closed
  const missed = await revocations(self, admin, 3)
  const back = await node(t, self, await nodeToken(self))
  back.send(hello('node-1', { cursor }))
  t.match(await back.welcome(), { cursor, resumed: true })
  const later = revocations(self, admin, 3)
  t.same(await back.events(6), [...missed, ...(await later)])
})

t.test('events committed during the backfill arrive once and in order', async (t) => {
  const self = await auth(t, { PARTITIONS: '3' })
  const admin = await self.token()
  const at = (await joined(t, self, 'starter')).cursor()
  const body = (n: number) => ({ identity: `i${n % 7}`, subject: `s${n}` })
  const commit = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await self.api(admin, 'POST', '/v1/revocations', body(n))
    }
  }
  await commit(0, 40)
  const committing = Promise.all([commit(40, 70), commit(70, 100), commit(100, 120)])
  const nodes = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const one = await node(t, self, await nodeToken(self))
      one.send(hello(`node-${n}`, { cursor: at }))
      t.match(await one.welcome(), { resumed: true })
      return one.events(120)
    }),
  )
  await committing
  const [ids = []] = nodes
  t.equal(new Set(ids).size, 120, 'no event arrives twice')
  for (const other of nodes) {
    t.same([...other].sort(), [...ids].sort(), 'no event is missing')
  }
  for (const partition of ['0', '1', '2']) {
    const of = (list: string[]) => list.filter((id) => id.startsWith(`${partition}-`))
    for (const other of nodes) {
      t.same(of(other), of(ids), `events of partition ${partition} arrive in the same order`)
    }
  }
})

t.test(
  'a node without a cursor, or with one that the feed cannot resume, starts at the end',
  async (t) => {
    const self = await auth(t, { FEED_MAX_LENGTH: '2' })
    const admin = await self.token()
    const before = await joined(t, self, 'before')
    await revocations(self, admin, 1)
    await before.events(1)
    const old = before.cursor()
    await revocations(self, admin, 400)
    const cursors = [undefined, '0-0', old, '9-9', '0-0,0-0', '999999-9999999999999']
    for (const [n, cursor] of cursors.entries()) {
      const one = await node(t, self, await nodeToken(self))
      one.send(hello(`node-${n}`, cursor === undefined ? {} : { cursor }))
      t.match(await one.welcome(), { resumed: false }, `${cursor}`)
      const [id] = await revocations(self, admin, 1)
      t.same(await one.events(1), [id])
      one.socket.terminate()
    }
  },
)

t.test('a renewal counts only after everything committed before it is acknowledged', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  one.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
  one.send({ type: 'renew', renewal: 1 })
  t.match(await one.next(), { type: 'lease', renewal: 1, ttlMs: leaseTimes(10_000).ttlMs })
  const [id] = await revocations(self, admin, 1)
  t.same(await one.events(1), [id])
  one.send({ type: 'renew', renewal: 2 })
  // If the renewal counted now, its lease would arrive among these events.
  const later = await revocations(self, admin, 5)
  t.same(await one.events(5), later)
  one.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
  t.match(await one.next(), { type: 'lease', renewal: 2 })
})

t.test('a renewal repeats the acknowledgement, which the registry may have lost', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  const { redis } = self.app.registry
  const keys = self.app.registry.keys
  const pending = await redis.dumpBuffer(keys.pending(0))
  t.equal(pending, null)
  const [id = ''] = await revocations(self, admin, 1)
  const [before] = [await redis.dumpBuffer(keys.pending(0))]
  await one.events(1)
  one.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
  one.send({ type: 'renew', renewal: 1 })
  t.match(await one.next(), { type: 'lease' })
  const receipt = async () => (await self.api(admin, 'GET', `/v1/revocations/${id}`)).json()
  t.match(await receipt(), { complete: true })
  // A restarted Redis may not have saved the acknowledgement.
  await redis.hset(keys.receipt(0, id), `node:${instanceOf('node-1')}:node-1`, 'pending')
  if (before !== null) {
    await redis.restore(keys.pending(0), 0, before, 'REPLACE')
  }
  t.match(await receipt(), { complete: false })
  one.send({ type: 'renew', renewal: 2 })
  t.match(await one.next(), { type: 'lease', renewal: 2 })
  t.match(await receipt(), { complete: true, nodes: [{ state: 'acked' }] })
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
  "another process under a node's name replaces the first, at this and at other instances",
  async (t) => {
    const self = await auth(t)
    const other = await self.another()
    const first = await joined(t, self, 'node-1', { process: 'a' })
    const second = await joined(t, self, 'node-1', { process: 'b' })
    t.match(await first.closed, { code: 4409 })
    const third = await joined(t, other, 'node-1', { process: 'c' })
    second.send({ type: 'ack', cursor: second.cursor(), revocations: [] })
    second.send({ type: 'renew', renewal: 1 })
    t.match(
      await second.closed,
      { code: 4409 },
      'a replacement at another instance is noticed at the renewal',
    )
    t.equal(third.socket.readyState, third.socket.OPEN)
  },
)

t.test('a process that was replaced cannot take its name back', async (t) => {
  const self = await auth(t)
  const old = await joined(t, self, 'node-1', { process: 'old' })
  const later = await joined(t, self, 'node-1', { process: 'later' })
  t.match(await old.closed, { code: 4409 })
  // It was cut off and learns of its successor now; it may or may not repeat `since` of its welcome.
  for (const since of [1, undefined]) {
    const back = await node(t, self, await nodeToken(self))
    back.send(hello('node-1', { process: 'old', ...defined({ since }) }))
    t.match(await back.closed, { code: 4409 })
  }
  later.send({ type: 'renew', renewal: 1 })
  t.match(await later.next(), { type: 'lease' })
  const admin = await self.token()
  t.match((await self.api(admin, 'GET', '/v1/nodes')).json(), {
    nodes: [{ instance: instanceOf('later'), connected: true }],
  })
})

t.test('another identity can neither take the name of a node nor acknowledge for it', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  const { nodes } = (await self.api(admin, 'GET', '/v1/nodes')).json()
  t.match(nodes, [{ node: 'node-1', instance: instanceOf('node-1') }])
  t.notMatch(JSON.stringify(nodes), hello('node-1').secret, 'the list does not contain the secret')
  const [id = ''] = await revocations(self, admin, 1)
  const identity = await self.identity(['feed'])
  const { instance } = nodes[0]
  // The secret of another process, the stolen secret of this one, and its public instance id.
  for (const secret of [hello('other').secret, hello('node-1').secret, instance]) {
    const stranger = await node(t, self, await self.token(identity))
    stranger.send({ type: 'hello', node: 'node-1', secret })
    t.match(await stranger.closed, { code: 4403, reason: /another identity/ })
  }
  const elsewhere = await node(t, self, await self.token(identity))
  elsewhere.send({ type: 'hello', node: 'node-2', secret: instance })
  await elsewhere.welcome()
  elsewhere.send({ type: 'ack', cursor: elsewhere.cursor(), revocations: [] })
  elsewhere.send({ type: 'bye' })
  await elsewhere.closed
  const receipt = (await self.api(admin, 'GET', `/v1/revocations/${id}`)).json()
  t.match(receipt, { complete: false, nodes: [{ node: 'node-1', state: 'pending' }] })
  t.same(await one.events(1), [id], 'the node itself stays connected')

  const { entries } = (await self.api(admin, 'GET', '/v1/audit?action=node.join')).json()
  t.match(
    entries.map(({ result, error, actor, target }: AuditEntry) => [
      result,
      error,
      actor?.identity === identity.identity,
      target?.node,
    ]),
    [
      ['ok', undefined, true, 'node-2'],
      ['refused', 'node_name_taken', true, 'node-1'],
      ['refused', 'node_name_taken', true, 'node-1'],
      ['refused', 'node_name_taken', true, 'node-1'],
      ['ok', undefined, false, 'node-1'],
    ],
  )
  t.notMatch(JSON.stringify(entries), hello('node-1').secret)
})

t.test('an identity can be restricted to node names', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const identity = await self.identity(['feed'])
  const path = `/v1/identities/${identity.identity}`
  const set = async (nodes: unknown) => self.api(admin, 'PATCH', path, { nodes })
  t.match((await set(['edge-*', 'one'])).json(), { nodes: ['edge-*', 'one'] })
  const tried = async (name: string) => {
    const one = await node(t, self, await self.token(identity))
    one.send(hello(name))
    return Promise.race([one.welcome(), one.closed])
  }
  for (const name of ['edge-1', 'edge-', 'one']) {
    t.match(await tried(name), { type: 'welcome' })
  }
  for (const name of ['one-1', 'edge', 'other']) {
    t.match(await tried(name), { code: 4403 })
  }
  t.match(await set(null), { statusCode: 200 })
  t.match(await tried('other'), { type: 'welcome' })
  t.equal((await self.api(admin, 'GET', path)).json().nodes, undefined)
  for (const wrong of [[], ['*x'], ['a b'], 'edge']) {
    t.equal((await set(wrong)).statusCode, 400)
  }
})

t.test('a process may reconnect before its old connection is seen to be dead', async (t) => {
  const self = await auth(t)
  const old = await joined(t, self, 'node-1')
  const back = await joined(t, self, 'node-1')
  t.match(await old.closed, { code: 1001 })
  const { nodes } = (await self.api(await self.token(), 'GET', '/v1/nodes')).json()
  t.match(nodes, [{ connected: true }], 'the close of the old connection does not hide the new one')
  t.equal(back.socket.readyState, back.socket.OPEN)
})

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
