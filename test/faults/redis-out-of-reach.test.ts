import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, startScene } from './scene/scene.js'
import { until } from './until.js'

const leaseMs = 2000
const settings = {
  nodes: 2,
  authEnv: { LEASE_MS: `${leaseMs}` },
  nodeEnv: { LEASE_GRACE_MS: '60000' },
}

// Longer than the deadline of a publication in flight when Redis stops responding.
const longLeaseMs = 10_000

t.test('a node without Redis still applies revocations', async (t) => {
  const scene = await startScene(t, { ...settings, authEnv: { LEASE_MS: `${longLeaseMs}` } })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const ada = await client('ada', node)
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [ada, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  node.toRedis.stall()
  const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  t.equal(await ada.closed(), 4500)
  await revocation.complete()
  t.equal(revocation.statesOf(node.name).at(-1), 'acked')
  node.toRedis.resume()
  await traffic.reaches(lives)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations: [revocation], leaseMs: longLeaseMs }), [])
})

t.test('auth without Redis grants no lease and accepts no revocation', async (t) => {
  const scene = await startScene(t, settings)
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const ada = await client('ada', node)
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [ada, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  const before = nodes.map((each) => each.output().length)
  scene.authToRedis.stall()
  const refused = await auth.api('POST', '/v1/revocations', { token: ada.token.jti })
  t.ok(refused.status >= 500, `the revocation is not confirmed: ${refused.status}`)
  for (const [index, each] of nodes.entries()) {
    await logged(each, /the lease is out; every connection is held/, before[index])
  }
  scene.authToRedis.resume()
  const revocation = await until('revocations are accepted again', () =>
    Revocation.commit(auth.api, { token: ada.token.jti }, [ada]).catch(() => undefined),
  )
  await revocation.complete()
  t.equal(await ada.closed(), 4500)
  await traffic.reaches(lives)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})
