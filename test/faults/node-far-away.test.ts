import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { metric, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

// Auth takes an acknowledgement for fresh within a fifth of it: this leaves a busy machine four times
// what the way to the node and back takes.
const leaseMs = 6000
/** One way, in milliseconds. */
const distance = 150

t.test('a node far from auth keeps its lease while revocations never end', async (t) => {
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

  node.toAuth.delay(distance)
  const revocations: Revocation[] = []
  const start = performance.now()
  // More than one is on its way at any time, for longer than a lease.
  while (performance.now() - start < 1.25 * leaseMs) {
    const next = covered[revocations.length]
    const selector =
      next === undefined ? { identity: 'admin', subject: 'nobody' } : { token: next.token.jti }
    const covers = next === undefined ? [] : [next]
    revocations.push(await Revocation.commit(auth.api, selector, covers))
    await traffic.reaches(listens)
  }
  const receipts = await Promise.all(revocations.map((revocation) => revocation.complete()))
  const fenced = receipts.filter((receipt) => receipt.nodes.some(({ state }) => state !== 'acked'))
  t.same(fenced, [], 'nobody is fenced')
  for (const one of covered) {
    t.equal(await one.ends(), 4500)
  }
  t.equal(await metric(node, 'realtime_leases_lost_total'), 0)
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
