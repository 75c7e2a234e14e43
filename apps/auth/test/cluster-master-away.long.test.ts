import { startCluster } from '@portcullis/local'
import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { partitionOf, partitionOfId } from '../src/registry/ids.js'
import { joined } from './fixtures/node.js'
import { active, issued, nameIn, open, partitions, serversOf } from './fixtures/on-cluster.js'
import { ready } from './fixtures/ready.js'

t.test(
  'after a master is killed its partitions are away until its replica is promoted',
  async (t) => {
    const cluster = await startCluster(t, { replicas: 1 })
    const self = await open(t, cluster, { LEASE_MS: '2000' })
    const admin = await self.token()
    const servers = await serversOf(cluster, self)
    const own = partitionOf(self.admin.identity, partitions)
    const signing = await cluster.masterOf(slotOf(self.app.registry.keys.meta))
    // The caller's own partition must stay: each request reads it.
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
    t.equal(token.statusCode, 503, 'an unknown state is not answered as inactive')
    t.equal((await self.app.inject('/ready')).statusCode, 503)
    t.same(
      await active(self, admin, [safe.token]),
      [true],
      'tokens of other partitions are introspected',
    )
    const meanwhile = await self.api(admin, 'POST', '/v1/revocations', { identity: safe.identity })
    t.equal(meanwhile.statusCode, 201)
    t.same(
      await node.events(1),
      [meanwhile.json().id],
      'the feeds of the other partitions continue',
    )

    await cluster.promoted(slotOf(self.app.registry.keys.clock(lost)), victim)
    await ready(self)
    t.same(
      await active(self, admin, [shop.token, lives.token]),
      [false, true],
      'no acknowledged write is lost',
    )
    const after = await self.api(admin, 'POST', '/v1/revocations', {
      identity: lives.identity,
      wait: 60_000,
    })
    // The replica may not know the node that joined last.
    t.match(after.json(), {
      complete: true,
      nodes: [
        { node: '(unknown)', state: 'fenced' },
        { node: 'node-1', state: 'fenced' },
      ],
    })
    const [id] = await node.events(1)
    t.equal(id, after.json().id, 'the feed continues')
    t.equal(partitionOfId(after.json().id, partitions), servers.lastIndexOf(victim))
  },
)

t.test('a partition that stays away does not affect the others', async (t) => {
  const cluster = await startCluster(t, { settings: ['--cluster-require-full-coverage', 'no'] })
  // The caller's partition is not on the first master, which is the one that auth subscribes at.
  const [lost, own] = [0, partitions - 1]
  const self = await open(t, cluster, { LEASE_MS: '2000', ADMIN_IDENTITY: nameIn(own) })
  const admin = await self.token()
  const servers = await serversOf(cluster, self)
  const safe = await issued(self, admin, own - 1)
  const node = await joined(t, self, 'node-1')
  await servers[lost]?.kill()

  const away = await self.api(admin, 'POST', '/v1/revocations', { identity: nameIn(lost) })
  t.equal(away.statusCode, 503)
  const body = { identity: safe.identity, wait: 60_000 }
  const asked = performance.now()
  const revoked = await self.api(admin, 'POST', '/v1/revocations', body)
  t.match(revoked.json(), { complete: true, nodes: [{ node: 'node-1', state: 'fenced' }] })
  t.ok(performance.now() - asked < 30_000, 'the wait ended in time')
  t.same(await node.events(1), [revoked.json().id], 'the feed of the other partitions continues')
  t.same(await active(self, admin, [safe.token]), [false])
  t.equal((await self.app.inject('/ready')).statusCode, 503)
  t.equal((await self.app.inject('/health')).statusCode, 200, 'the process is alive')
})
