import type { AuthMessage } from '@portcullis/contracts/feed'
import type { RevocationEvent } from '@portcullis/contracts/revocations'
import t, { type Test } from 'tap'
import { FeedConnection } from '../../../src/feed/connection/feed-connection.js'
import type { FeedSocket } from '../../../src/feed/connection/socket.js'
import { FeedHub } from '../../../src/feed/hub.js'
import type { FeedRegistry } from '../../../src/feed/registry.js'
import { leaseTimes } from '../../../src/registry/index.js'
import { type Auth, auth } from '../../fixtures/auth.js'
import { hello, instanceOf, joined, revocations, type TestNode } from '../../fixtures/node.js'

/** Acknowledges everything that the node has received. */
function ack(one: TestNode): void {
  one.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
}

/** Revokes, and returns the complete receipt. */
async function completed(self: Auth, admin: string) {
  const answer = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x', wait: 60_000 })
  return answer.json()
}

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

t.test('a node that stops renewing is fenced', async (t) => {
  const self = await auth(t, { LEASE_MS: '600' })
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  ack(one)
  one.send({ type: 'renew', renewal: 1 })
  t.same(await one.next(), { type: 'lease', renewal: 1, ttlMs: 390 })
  const receipt = await completed(self, admin)
  t.match(receipt, { complete: true, nodes: [{ node: 'node-1', state: 'fenced' }] })
  t.match(self.logs(), /node fenced/)
  const nodes = await self.api(admin, 'GET', '/v1/nodes')
  t.match(nodes.json(), { nodes: [{ node: 'node-1', fenced: true, connected: true, pending: 0 }] })
})

t.test('a node that was fenced receives every event before its lease', async (t) => {
  // Long enough for the last request, which must be sent before the node is fenced again.
  const self = await auth(t, { LEASE_MS: '2000' })
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  one.socket.pause()
  await completed(self, admin)
  const [id] = await revocations(self, admin, 1)
  one.send({ type: 'renew', renewal: 1 })
  one.socket.resume()
  const received: string[] = []
  for (let message = await one.next(); message.type !== 'lease'; message = await one.next()) {
    if (message.type === 'events') {
      received.push(...message.revocations.map((event) => event.id))
      ack(one)
    }
  }
  t.equal(received.length, 2)
  t.equal(received.at(-1), id)
  const next = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x' })
  t.match(next.json(), { nodes: [{ state: 'pending' }] }, 'receipts wait for the node again')
})

t.test('an instance whose tail is stuck grants no lease, so that receipts complete', async (t) => {
  const self = await auth(t, { LEASE_MS: '600' })
  const other = await self.another({ LEASE_MS: '600' })
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  // A stuck tail: the hub receives no events.
  self.app.feedHub.onEvents = () => undefined
  ack(one)
  one.send({ type: 'renew', renewal: 1 })
  t.match(await one.next(), { type: 'lease', renewal: 1 }, 'before the first commit')
  let renewal = 2
  const renewing = setInterval(() => one.send({ type: 'renew', renewal: renewal++ }), 50)
  t.teardown(() => clearInterval(renewing))
  t.match(await completed(other, admin), { complete: true, nodes: [{ state: 'fenced' }] })
})

t.test('a node that renews without acknowledging is fenced', async (t) => {
  const self = await auth(t, { LEASE_MS: '600' })
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  ack(one)
  one.send({ type: 'renew', renewal: 1 })
  t.match(await one.next(), { type: 'lease', renewal: 1 })
  let renewal = 2
  const renewing = setInterval(() => one.send({ type: 'renew', renewal: renewal++ }), 50)
  t.teardown(() => clearInterval(renewing))
  t.match(await completed(self, admin), { complete: true, nodes: [{ state: 'fenced' }] })
  let message = await one.next()
  while (message.type === 'lease') {
    message = await one.next()
  }
  t.equal(message.type, 'events', 'no lease before the node acknowledges its events')
  ack(one)
  t.match(await one.next(), { type: 'lease' }, 'a lease after it has')
})

t.test('a lease is sent after the events that it depends on', async (t) => {
  const { id } = revocation(1)
  const { connection, hub, sent, registry } = scripted(t)
  await connection.joined
  // The node may have been fenced: earlier revocations have receipts that completed without it.
  registry.end = '1-1000000'
  connection.onMessage(JSON.stringify({ type: 'renew', renewal: 1 }))
  await registry.renewed
  await new Promise((resolve) => setImmediate(resolve))
  t.same(
    sent.map(({ type }) => type),
    ['welcome'],
    'no lease before the events',
  )
  hub.onEvents({ cursor: registry.end, revocations: [revocation(1)] })
  while (sent.length < 3) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.match(sent, [{ type: 'welcome' }, { type: 'events', revocations: [{ id }] }, { type: 'lease' }])
})

t.test('a process that lost its name gets no lease', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const old = await joined(t, self, 'node-1', { process: 'old' })
  ack(old)
  await joined(t, other, 'node-1', { process: 'new' })
  old.send({ type: 'renew', renewal: 1 })
  t.match(await old.closed, { code: 4409 })
})

t.test('a renewal with an invalid number closes the connection', async (t) => {
  const self = await auth(t)
  const one = await joined(t, self, 'node-1')
  one.send({ type: 'renew', renewal: 0 })
  t.match(await one.closed, { code: 4400 })
})

function revocation(sequence: number): RevocationEvent {
  const id = `0-${'r'.repeat(21)}${sequence}`
  return { id, at: 1000, selector: { identity: 'x' }, cutoffUs: 1_000_000 }
}

/** Opens a connection and says hello, at a registry whose feed ends where the test says. */
function scripted(t: Test) {
  const sent: AuthMessage[] = []
  const start = '0-0'
  const hub = new FeedHub(start)
  let joined = () => {}
  let renewed = () => {}
  const registry = {
    end: start,
    renewed: new Promise<void>((resolve) => (renewed = resolve)),
    isActive: async () => true,
    nodeNames: async () => undefined,
    joinNode: async () => ({ cursor: start, since: 1, isNew: true }),
    setConnected: async () => undefined,
    ackRevocations: async () => undefined,
    async renewLease() {
      renewed()
      const { end } = registry
      return { counted: true, cursor: end, askedAt: [{ end, run: 'run' }], ttlMs: 1000 }
    },
  }
  const socket: FeedSocket = {
    backlog: 0,
    async send(text) {
      const message: AuthMessage = JSON.parse(String(text))
      sent.push(message)
      if (message.type === 'welcome') {
        joined()
      }
    },
    close: () => connection.onClose(),
    terminate: () => connection.onClose(),
    setReading: () => undefined,
  }
  const connection = Object.assign(
    new FeedConnection({
      registry: registry as unknown as FeedRegistry,
      hub,
      socket,
      token: {
        jti: '0-token',
        identity: 'nodes',
        subject: 'nodes',
        labels: [],
        parents: [],
        issuedUs: 1,
        expiresAt: Date.now() + 60_000,
      },
      helloMs: 60_000,
      onError: (error) => t.fail('an error', { error }),
    }),
    { joined: new Promise<void>((resolve) => (joined = resolve)) },
  )
  connection.onMessage(JSON.stringify(hello('node-1')))
  t.teardown(() => connection.end(1001, 'the test is over'))
  return { connection, hub, sent, registry }
}
