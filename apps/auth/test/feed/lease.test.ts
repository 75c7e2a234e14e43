import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'
import { joined, revocations, type TestNode } from '../fixtures/node.js'

/** The node has applied everything that it was told. */
function ack(one: TestNode): void {
  one.send({ type: 'ack', cursor: one.cursor(), revocations: [] })
}

/** The receipt of a revocation of nothing, as soon as it is complete. */
async function completed(self: Auth, admin: string) {
  const answer = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x', wait: 60_000 })
  return answer.json()
}

t.test('a node that renews is waited for; one that stops is fenced', async (t) => {
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

t.test('a node that was fenced hears of everything before it has its lease', async (t) => {
  // Long enough for the last request here, which has to come before the node is fenced again.
  const self = await auth(t, { LEASE_MS: '2000' })
  const admin = await self.token()
  const one = await joined(t, self, 'node-1')
  one.socket.pause()
  await completed(self, admin)
  const [id] = await revocations(self, admin, 1)
  one.send({ type: 'renew', renewal: 1 })
  one.socket.resume()
  const told: string[] = []
  for (let message = await one.next(); message.type !== 'lease'; message = await one.next())
    if (message.type === 'events') {
      told.push(...message.revocations.map((event) => event.id))
      ack(one)
    }
  t.equal(told.length, 2)
  t.equal(told.at(-1), id)
  const next = await self.api(admin, 'POST', '/v1/revocations', { identity: 'x' })
  t.match(next.json(), { nodes: [{ state: 'pending' }] }, 'and is waited for again')
})

t.test(
  'an instance whose tail is stuck grants nothing, so that no receipt waits for ever',
  async (t) => {
    const self = await auth(t, { LEASE_MS: '600' })
    const other = await self.another({ LEASE_MS: '600' })
    const admin = await self.token()
    const one = await joined(t, self, 'node-1')
    // As if XREAD woke it no more: what it hands out is lost.
    self.app.feedHub.onEvents = () => undefined
    ack(one)
    one.send({ type: 'renew', renewal: 1 })
    t.match(await one.next(), { type: 'lease', renewal: 1 }, 'nothing was committed yet')
    let renewal = 2
    const renewing = setInterval(() => one.send({ type: 'renew', renewal: renewal++ }), 50)
    t.teardown(() => clearInterval(renewing))
    t.match(await completed(other, admin), { complete: true, nodes: [{ state: 'fenced' }] })
  },
)

t.test('a node that speaks and does not hear is fenced', async (t) => {
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
  while (message.type === 'lease') message = await one.next()
  t.equal(message.type, 'events', 'and gets no lease after what it has not acknowledged')
  ack(one)
  t.match(await one.next(), { type: 'lease' }, 'until it has')
})

t.test('a process that lost its name gets no lease', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const old = await joined(t, self, 'node-1', { instance: 'instance-old' })
  ack(old)
  await joined(t, other, 'node-1', { instance: 'instance-new' })
  old.send({ type: 'renew', renewal: 1 })
  t.match(await old.closed, { code: 4409 })
})

t.test('a lease is for those who have said hello', async (t) => {
  const self = await auth(t)
  const one = await joined(t, self, 'node-1')
  one.send({ type: 'renew', renewal: 0 })
  t.match(await one.closed, { code: 4400 }, 'and a renewal has a number')
})
