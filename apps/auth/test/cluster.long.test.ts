import { setTimeout as delay } from 'node:timers/promises'
import { startCluster } from '@portcullis/local'
import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { partitionOf } from '../src/registry/ids.js'
import { heard, joined } from './fixtures/node.js'
import {
  active,
  issued,
  nameIn,
  open,
  otherThan,
  partitions,
  serversOf,
} from './fixtures/on-cluster.js'
import { ready } from './fixtures/ready.js'

t.test('the registry works on a Cluster, in every partition', async (t) => {
  const cluster = await startCluster(t)
  await t.rejects(open(t, cluster, { PARTITIONS: '1' }), {
    code: 'option_invalid',
    message: /set PARTITIONS=16/,
  })
  const self = await open(t, cluster)
  await t.rejects(self.another({ PARTITIONS: '32' }), { code: 'partitions_mismatch' })
  const other = await self.another()
  const admin = await self.token()
  t.equal((await self.app.inject('/ready')).statusCode, 200)

  const servers = await serversOf(cluster, self)
  const counts = cluster.servers.map((one) => servers.filter((each) => each === one).length)
  t.same(counts.sort(), [5, 5, 6], 'partitions are spread evenly')
  const report = (await self.api(admin, 'GET', '/v1/registry')).json()
  t.match(report, { cluster: true, partitions, servers: { length: 3 } })
  t.same(
    report.servers.map(({ server }: { server: string }) => server),
    cluster.servers.map(({ host, port }) => `${host}:${port}`).sort(),
    'the report lists each primary',
  )
  for (const { answers, settings } of report.servers) {
    t.ok(answers)
    t.match(settings, { 'cluster-node-timeout': /^\d+$/, 'cluster-require-full-coverage': 'yes' })
  }

  const shops = await Promise.all(
    Array.from({ length: partitions }, (_, one) => issued(self, admin, one)),
  )
  const tokens = shops.map(({ token }) => token)
  t.same(
    await active(other, admin, tokens),
    tokens.map(() => true),
    'one request introspects tokens of all partitions',
  )
  const { identities } = (await self.api(admin, 'GET', '/v1/identities?limit=10')).json()
  t.equal(identities.length, 10)
  t.equal(
    (await self.api(admin, 'GET', `/v1/tokens?identity=${shops[3]?.identity}`)).json().tokens
      .length,
    1,
  )

  t.same(
    (await self.api(admin, 'GET', '/v1/tokens/count?subject=shop-0')).json(),
    {
      active: shops.filter(({ identity }) => identity === 'shop-0').length,
      revoked: 0,
      exact: true,
    },
    'the count covers all partitions',
  )
  t.equal(
    (await other.api(admin, 'GET', '/v1/tokens?limit=1000')).json().tokens.length,
    partitions + 1,
  )

  const node = await joined(t, self, 'node-1')
  node.send({ type: 'attend' })
  await heard(node)
  const asked = other.api(admin, 'GET', '/v1/connections?wait=10000')
  const inquiry = await node.next()
  t.match(
    inquiry,
    { type: 'inquire', selector: { all: true } },
    'the inquiry arrives through the Cluster',
  )
  if (inquiry.type === 'inquire') {
    node.send({ type: 'connections', id: inquiry.id, connections: 2, tokens: [] })
  }
  t.match((await asked).json(), { complete: true, connections: 2 })
  const acknowledge = async (count: number, connectionsClosed = 1) => {
    const ids = await node.events(count)
    node.send({
      type: 'ack',
      cursor: node.cursor(),
      revocations: [...new Set(ids)].map((id) => ({ id, connectionsClosed })),
    })
  }
  // The node is connected to one instance, and the request waits at the other.
  for (const { identity } of shops) {
    const revoked = other.api(admin, 'POST', '/v1/revocations', { identity, wait: 60_000 })
    await acknowledge(1)
    t.match((await revoked).json(), {
      complete: true,
      tokens: 1,
      nodes: [{ node: 'node-1', state: 'acked', connectionsClosed: 1 }],
    })
  }
  t.same(
    await active(self, admin, tokens),
    tokens.map(() => false),
  )
  const renewed = await self.token()
  const all = other.api(renewed, 'POST', '/v1/revocations', { all: true, wait: 60_000 })
  // The node's own token is revoked too: it may have to reconnect before it has received the events of
  // every partition. Like a real node it repeats the acknowledgements that auth may not have read.
  const heardOf = new Set<string>()
  let answered = false
  const answer = all.finally(() => {
    answered = true
  })
  for (let peer = node; !answered; ) {
    const ids = await Promise.race([peer.events(1).catch(() => undefined), answer.then(() => [])])
    // Joining fails until the node's next token is issued after the last partition's commit.
    if (ids === undefined) {
      peer = await joined(t, self, 'node-1', { cursor: peer.cursor() }).catch(() => peer)
    }
    for (const id of ids ?? []) {
      heardOf.add(id)
    }
    const revocations = [...heardOf].map((id) => ({ id, connectionsClosed: 1 }))
    peer.send({ type: 'ack', cursor: peer.cursor(), revocations })
  }
  const receipt = (await answer).json()
  t.match(receipt, { complete: true, selector: { all: true } })
  t.equal(
    (await self.api(renewed, 'GET', '/v1/nodes')).statusCode,
    401,
    'the token of the caller is revoked too',
  )
  const last = await self.token()
  const listed = (await self.api(last, 'GET', '/v1/revocations?limit=100')).json().revocations
  t.equal(listed.length, partitions + 1)
  t.equal(listed[0].id, receipt.id, 'receipts of all partitions, newest first')
  t.match((await self.api(last, 'GET', '/v1/nodes')).json(), {
    nodes: [{ node: 'node-1', pending: 0 }],
  })
})

t.test('a partition stays usable while its slot moves to another master and back', async (t) => {
  const cluster = await startCluster(t)
  const self = await open(t, cluster)
  const admin = await self.token()
  const partition = (partitionOf(self.admin.identity, partitions) + 1) % partitions
  const slot = slotOf(self.app.registry.keys.clock(partition))
  const [from, to] = [await cluster.masterOf(slot), await otherThan(cluster, slot)]
  const identity = nameIn(partition)
  const { registrationCode } = (
    await self.api(admin, 'POST', '/v1/identities', { identity, scopes: [] })
  ).json()
  let over = false
  const refusals: number[] = []
  const accepted: string[] = []
  const tokens: string[] = []
  const use = async () => {
    while (!over) {
      const issuing = await self.form('/oauth/token', {
        grant_type: 'client_credentials',
        client_id: identity,
        client_secret: registrationCode,
      })
      if (issuing.statusCode !== 200) {
        refusals.push(issuing.statusCode)
        continue
      }
      const { access_token: token } = issuing.json()
      tokens.push(token)
      const revoked = await self.api(admin, 'POST', '/v1/revocations', { token })
      if (revoked.statusCode !== 201) {
        refusals.push(revoked.statusCode)
      } else if ((await active(self, admin, [token]).catch(() => [false]))[0]) {
        accepted.push(token)
      }
    }
  }
  const using = use()
  for (const next of [to, from, to]) {
    const before = tokens.length
    while (tokens.length < before + 5) {
      await delay(5)
    }
    await cluster.moveSlot(slot, next)
  }
  const before = tokens.length
  while (tokens.length < before + 5) {
    await delay(5)
  }
  over = true
  await using
  t.same(accepted, [], 'a revoked token is never active')
  t.same(
    [...new Set(refusals)].filter((status) => status !== 503),
    [],
    'every refusal is a 503',
  )
  t.same(await active(self, admin, tokens.slice(-1)), [false])
  await ready(self)
  t.comment(`${tokens.length} tokens, ${refusals.length} refusals`)
})
