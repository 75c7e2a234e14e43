import { startSentinels } from '@portcullis/local'
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

t.test('the guarantee holds when Sentinels promote a replica under load', async (t) => {
  // Two replicas: after the failover one is left to acknowledge WAIT.
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
  await load.continues()
  const revocations: Revocation[] = []
  const revokeOne = async (one: Recorder) => {
    const revocation = await revoke(auth.api, one, 2)
    revocations.push(revocation)
    return revocation
  }

  const kept = await revokeOne(before)
  t.equal((await kept.complete()).replicas, 2)
  const victim = await group.master()
  await victim.kill()
  await revokeOne(during)
  t.not(await group.master(), victim, 'the promoted replica accepted it')
  await victim.start()
  await load.continues()
  await traffic.reaches(after)
  await revokeOne(after)

  for (const one of [before, during, after]) {
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
