import { type RedisCluster, startCluster } from '@portcullis/local'
import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { judge } from '../faults/record/judge.js'
import type { Recorder } from '../faults/record/recorder.js'
import type { Revocation } from '../faults/record/revocation.js'
import { chat, Traffic } from '../faults/record/traffic.js'
import { Load } from './load.js'
import { revoke } from './revoke.js'
import { startScene } from './scene.js'

// A fifth of it must suffice for acknowledgements on a busy machine during continuous revocations.
const leaseMs = 5000

/** Returns the slot of the administrator's partition, whose tokens the clients use. */
async function slotOfAdmin({ servers }: RedisCluster): Promise<number> {
  const keys = await Promise.all(servers.map(({ redis }) => redis.keys('*}:identity:admin')))
  return slotOf(keys.flat()[0] ?? '')
}

t.test('the guarantee holds when a slot moves and a master dies under load', async (t) => {
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
    throw new Error('five clients expected')
  }
  const lives = await client('lives', node)
  const clients = [...covered, lives]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }
  const load = await Load.start(t, auth)
  await load.continues()
  const revocations: Revocation[] = []
  const revokeOne = async (one: Recorder) => {
    const revocation = await revoke(auth.api, one, 1)
    revocations.push(revocation)
    return revocation
  }

  const slot = await slotOfAdmin(cluster)
  const from = await cluster.masterOf(slot)
  const masters = cluster.servers.slice(0, 3)
  const to = masters.find((server) => server !== from) ?? from
  const move = await cluster.beginMove(slot, to)
  const revoking = revokeOne(moving)
  await move.finish()
  await revoking
  await cluster.moveSlot(slot, from)
  await revokeOne(moved)
  await load.continues()

  const kept = await revokeOne(before)
  t.equal((await kept.complete()).replicas, 1)
  const victim = await cluster.masterOf(slot)
  await victim.kill()
  await revokeOne(during)
  t.not(await cluster.masterOf(slot), victim, 'the promoted replica accepted it')
  await load.continues()
  await traffic.reaches(after)
  await revokeOne(after)

  for (const one of covered) {
    t.equal(await one.closed(), 4500, `${one.name} is closed`)
  }
  for (const revocation of revocations) {
    await revocation.complete()
  }
  await traffic.reaches(lives)
  const seen = await load.stop()
  t.comment(JSON.stringify(seen))
  t.same(seen.wrong, [])
  t.ok(seen.refused > 0, 'some requests were refused during the failover')
  t.same(judge({ clients, revocations, leaseMs }), [])
})
