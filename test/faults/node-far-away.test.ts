import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { metric, startScene } from './scene/scene.js'

// Auth accepts an acknowledgement for a fifth of the lease: four times the round trip to the node,
// which leaves time for a busy machine.
const leaseMs = 6000
/** Delay in each direction. */
const delayMs = 150

t.test('a distant node keeps its lease during continuous revocations', async (t) => {
  const scene = await startScene(t, { nodes: 2, authEnv: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const covered = await Promise.all(['ada', 'bob', 'eve'].map((name) => client(name, node)))
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [...covered, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  node.toAuth.delay(delayMs)
  const revocations: Revocation[] = []
  const start = performance.now()
  // For longer than a lease, several revocations are always in flight.
  while (performance.now() - start < 1.25 * leaseMs) {
    const next = covered[revocations.length]
    const selector =
      next === undefined ? { identity: 'admin', subject: 'unused' } : { token: next.token.jti }
    const covers = next === undefined ? [] : [next]
    revocations.push(await Revocation.commit(auth.api, selector, covers))
    await traffic.reaches(listens)
  }
  const receipts = await Promise.all(revocations.map((revocation) => revocation.complete()))
  const fenced = receipts.filter((receipt) => receipt.nodes.some(({ state }) => state !== 'acked'))
  t.same(fenced, [], 'no node is fenced')
  for (const one of covered) {
    t.equal(await one.closed(), 4500)
  }
  t.equal(await metric(node, 'portcullis_realtime_leases_lost_total'), 0)
  await traffic.reaches(lives)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
