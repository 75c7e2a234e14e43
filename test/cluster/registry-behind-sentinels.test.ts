import { startSentinels } from '@portcullis/local'
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

t.test('Sentinels promote a replica, while tokens are issued, used and revoked', async (t) => {
  // Two replicas: the one that stays takes what WAIT waits for.
  const group = await startSentinels(t, { replicas: 2 })
  const scene = await startScene(t, { redisUrl: group.url, env: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const before = await client('before', node)
  const during = await client('during', node)
  const after = await client('after', node)
  const lives = await client('lives', node)
  const clients = [before, during, after, lives]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }
  const load = await Load.start(t, auth, 2)
  await load.goesOn()
  const revocations: Revocation[] = []
  const end = async (one: Recorder) => {
    const revocation = await revoke(auth.api, one, 2)
    revocations.push(revocation)
    return revocation
  }

  const kept = await end(before)
  t.equal((await kept.complete()).replicas, 2)
  const victim = await group.master()
  await victim.kill()
  await end(during)
  t.not(await group.master(), victim, 'it was taken by the replica in its place')
  await victim.start()
  await load.goesOn()
  await traffic.reaches(after)
  await end(after)

  for (const one of [before, during, after]) {
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
