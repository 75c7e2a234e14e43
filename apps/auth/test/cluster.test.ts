import { setTimeout as delay } from 'node:timers/promises'
import { type RedisCluster, type RedisServer, startCluster } from '@portcullis/local'
import { slotOf } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { partitionOf, partitionOfId } from '../src/registry/ids.js'
import { type Auth, auth } from './fixtures/auth.js'
import { joined } from './fixtures/node.js'
import { ready } from './fixtures/ready.js'

const partitions = 16

function open(t: Test, { url }: RedisCluster, more: Record<string, string> = {}): Promise<Auth> {
  return auth(t, { REDIS_URL: url, PARTITIONS: `${partitions}`, ...more })
}

/** Which server has each partition now. */
async function serversOf(cluster: RedisCluster, self: Auth): Promise<RedisServer[]> {
  return Promise.all(
    Array.from({ length: partitions }, (_, one) =>
      cluster.masterOf(slotOf(self.app.registry.keys.clock(one))),
    ),
  )
}

/** The name of an identity in the partition. */
function nameIn(partition: number): string {
  for (let n = 0; ; n += 1)
    if (partitionOf(`shop-${n}`, partitions) === partition) return `shop-${n}`
}

/** An identity with a token, which is active. */
async function issued(self: Auth, admin: string, partition: number) {
  const identity = nameIn(partition)
  const body = { identity, scopes: ['subscribe:news'] }
  const { registrationCode } = (await self.api(admin, 'POST', '/v1/identities', body)).json()
  return { identity, token: await self.token({ identity, registrationCode }) }
}

async function active(self: Auth, admin: string, tokens: string[]): Promise<boolean[]> {
  const answer = await self.api(admin, 'POST', '/v1/introspections', { tokens })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json().results.map((one: { active: boolean }) => one.active)
}

t.test('a registry on a Cluster: everything, in every partition', async (t) => {
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
  t.same(counts.sort(), [5, 5, 6], 'spread evenly')

  const shops = await Promise.all(
    Array.from({ length: partitions }, (_, one) => issued(self, admin, one)),
  )
  const tokens = shops.map(({ token }) => token)
  t.same(
    await active(other, admin, tokens),
    tokens.map(() => true),
    'in one question',
  )
  const { identities } = (await self.api(admin, 'GET', '/v1/identities?limit=10')).json()
  t.equal(identities.length, 10)
  t.equal(
    (await self.api(admin, 'GET', `/v1/tokens?identity=${shops[3]?.identity}`)).json().tokens
      .length,
    1,
  )

  const node = await joined(t, self, 'node-1')
  const acknowledge = async (count: number, connectionsClosed = 1) => {
    const ids = await node.events(count)
    node.send({
      type: 'ack',
      cursor: node.cursor(),
      revocations: [...new Set(ids)].map((id) => ({ id, connectionsClosed })),
    })
  }
  // Heard through one instance, waited for at another.
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
  await acknowledge(partitions)
  const receipt = (await all).json()
  t.match(receipt, { complete: true, selector: { all: true } })
  t.equal(
    (await self.api(renewed, 'GET', '/v1/nodes')).statusCode,
    401,
    'its caller is revoked too',
  )
  const last = await self.token()
  const listed = (await self.api(last, 'GET', '/v1/revocations?limit=100')).json().revocations
  t.equal(listed.length, partitions + 1)
  t.equal(listed[0].id, receipt.id, 'newest first, over all partitions')
  t.match((await self.api(last, 'GET', '/v1/nodes')).json(), {
    nodes: [{ node: 'node-1', pending: 0 }],
  })
})

t.test('a master is killed: its partitions are away until its replica has its place', async (t) => {
  const cluster = await startCluster(t, { replicas: 1 })
  const self = await open(t, cluster, { LEASE_MS: '2000' })
  const admin = await self.token()
  const servers = await serversOf(cluster, self)
  const own = partitionOf(self.admin.identity, partitions)
  const signing = await cluster.masterOf(slotOf(self.app.registry.keys.meta))
  // The caller's own partition stays: it is asked about in each request.
  const lost = servers.findIndex((one) => one !== servers[own] && one !== signing)
  const victim = servers[lost] ?? signing
  const here = servers.findIndex((one) => one !== victim)
  const [shop, safe] = [await issued(self, admin, lost), await issued(self, admin, here)]
  const lives = await issued(self, admin, servers.lastIndexOf(victim))
  const body = { identity: shop.identity, replicas: 1 }
  const revoked = await self.api(admin, 'POST', '/v1/revocations', body)
  t.match(revoked.json(), { complete: true, replicas: 1 })
  await victim.redis.wait(1, 1000)
  const node = await joined(t, self, 'node-1')

  await victim.kill()
  const token = await self.api(admin, 'POST', '/v1/introspections', { tokens: [shop.token] })
  t.equal(token.statusCode, 503, 'not known is not active')
  t.equal((await self.app.inject('/ready')).statusCode, 503)
  t.same(await active(self, admin, [safe.token]), [true], 'the others go on')
  const meanwhile = await self.api(admin, 'POST', '/v1/revocations', { identity: safe.identity })
  t.equal(meanwhile.statusCode, 201)
  t.same(await node.events(1), [meanwhile.json().id], 'also their feeds')

  await cluster.promoted(slotOf(self.app.registry.keys.clock(lost)), victim)
  await ready(self)
  t.same(
    await active(self, admin, [shop.token, lives.token]),
    [false, true],
    'nothing answered is lost',
  )
  const after = await self.api(admin, 'POST', '/v1/revocations', {
    identity: lives.identity,
    wait: 60_000,
  })
  // The replica may not have heard of a node that joined last.
  t.match(after.json(), {
    complete: true,
    nodes: [
      { node: '(unknown)', state: 'fenced' },
      { node: 'node-1', state: 'fenced' },
    ],
  })
  const [id] = await node.events(1)
  t.equal(id, after.json().id, 'the feed goes on')
  t.equal(partitionOfId(after.json().id, partitions), servers.lastIndexOf(victim))
})

t.test('a partition that is away for good takes no other with it', async (t) => {
  const cluster = await startCluster(t, { settings: ['--cluster-require-full-coverage', 'no'] })
  const self = await open(t, cluster, { LEASE_MS: '2000' })
  const admin = await self.token()
  const servers = await serversOf(cluster, self)
  const own = partitionOf(self.admin.identity, partitions)
  const connected = await cluster.masterOf(slotOf(self.app.registry.keys.connected))
  const lost = servers.findIndex((one) => one !== servers[own] && one !== connected)
  const safe = await issued(self, admin, own)
  const node = await joined(t, self, 'node-1')
  await servers[lost]?.kill()

  const away = await self.api(admin, 'POST', '/v1/revocations', { identity: nameIn(lost) })
  t.equal(away.statusCode, 503)
  const body = { identity: safe.identity, wait: 60_000 }
  const revoked = await self.api(admin, 'POST', '/v1/revocations', body)
  t.match(revoked.json(), { complete: true, nodes: [{ node: 'node-1', state: 'fenced' }] })
  t.same(await node.events(1), [revoked.json().id], 'the feed of the others goes on')
  t.same(await active(self, admin, [safe.token]), [false])
  t.equal((await self.app.inject('/ready')).statusCode, 503)
  t.equal((await self.app.inject('/health')).statusCode, 200, 'and the process lives')
})

t.test('the slot of a partition moves, and back, while it is used', async (t) => {
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
      if (revoked.statusCode !== 201) refusals.push(revoked.statusCode)
      else if ((await active(self, admin, [token]).catch(() => [false]))[0]) accepted.push(token)
    }
  }
  const using = use()
  for (const next of [to, from, to]) {
    const before = tokens.length
    while (tokens.length < before + 5) await delay(5)
    await cluster.moveSlot(slot, next)
  }
  const before = tokens.length
  while (tokens.length < before + 5) await delay(5)
  over = true
  await using
  t.same(accepted, [], 'a revoked token is never active')
  t.same(
    [...new Set(refusals)].filter((status) => status !== 503),
    [],
    'what cannot be done is 503',
  )
  t.same(await active(self, admin, tokens.slice(-1)), [false])
  await ready(self)
  t.comment(`${tokens.length} tokens, ${refusals.length} refusals`)
})

async function otherThan(cluster: RedisCluster, slot: number): Promise<RedisServer> {
  const master = await cluster.masterOf(slot)
  const other = cluster.servers.find((server) => server !== master)
  if (other === undefined) throw new Error('a Cluster has several')
  return other
}
