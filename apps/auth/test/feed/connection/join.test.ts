import type { AuditEntry } from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { hello, instanceOf, joined, node, nodeToken, revocations } from '../../fixtures/node.js'

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
