import { type RedisCluster, startCluster } from '@portcullis/local'
import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { judge } from '../faults/judge.js'
import type { Recorder } from '../faults/recorder.js'
import type { Revocation } from '../faults/revocation.js'
import { chat, Traffic } from '../faults/traffic.js'
import { Load } from './load.js'
import { revoke } from './revoke.js'
import { startScene } from './scene.js'

// Long enough for a busy machine to acknowledge in a fifth of it, while revocations never end.
const leaseMs = 5000

/** The slot of the partition that has the administrator, whose tokens the clients stand on. */
async function slotOfAdmin({ servers }: RedisCluster): Promise<number> {
  const keys = await Promise.all(servers.map(({ redis }) => redis.keys('*}:identity:admin')))
  return slotOf(keys.flat()[0] ?? '')
}

t.test('a slot moves and a master dies, while tokens are issued, used and revoked', async (t) => {
  const cluster = await startCluster(t, { replicas: 1 })
  const env = { PARTITIONS: '16', LEASE_MS: `${leaseMs}` }
  const scene = await startScene(t, { redisUrl: cluster.url, env })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const names = ['moving', 'moved', 'before', 'during', 'after']
  const covered = await Promise.all(names.map((name) => client(name, node)))
  const [moving, moved, before, during, after] = covered
  if (!moving || !moved || !before || !during || !after) {
    throw new Error('five were asked for')
  }
  const lives = await client('lives', node)
  const clients = [...covered, lives]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }
  const load = await Load.start(t, auth)
  await load.goesOn()
  const revocations: Revocation[] = []
  const end = async (one: Recorder) => {
    const revocation = await revoke(auth.api, one, 1)
    revocations.push(revocation)
    return revocation
  }

  const slot = await slotOfAdmin(cluster)
  const from = await cluster.masterOf(slot)
  const masters = cluster.servers.slice(0, 3)
  const to = masters.find((server) => server !== from) ?? from
  const move = await cluster.beginMove(slot, to)
  const asked = end(moving)
  await move.finish()
  await asked
  await cluster.moveSlot(slot, from)
  await end(moved)
  await load.goesOn()

  const kept = await end(before)
  t.equal((await kept.complete()).replicas, 1)
  const victim = await cluster.masterOf(slot)
  await victim.kill()
  await end(during)
  t.not(await cluster.masterOf(slot), victim, 'it was taken by the replica in its place')
  await load.goesOn()
  await traffic.reaches(after)
  await end(after)

  for (const one of covered) {
    t.equal(await one.ends(), 4500, `${one.name} is closed`)
  }
  for (const revocation of revocations) {
    await revocation.complete()
  }
  await traffic.reaches(lives)
  const seen = await load.stop()
  t.comment(JSON.stringify(seen))
  t.same(seen.wrong, [])
  t.ok(seen.refused > 0, 'the outage was felt')
  t.same(judge({ clients, revocations, leaseMs }), [])
})
