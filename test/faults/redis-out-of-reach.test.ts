import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { logged, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'
import { until } from './until.js'

const leaseMs = 2000
const settings = {
  nodes: 2,
  authEnv: { LEASE_MS: `${leaseMs}` },
  nodeEnv: { LEASE_GRACE_MS: '60000' },
}

// Long enough for the deadline of a publication that is on its way as Redis falls silent.
const longLeaseMs = 10_000

t.test('a node that hears nothing from Redis revokes as ever', async (t) => {
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
  t.equal(await ada.ends(), 4500)
  await revocation.complete()
  t.equal(revocation.statesOf(node.name).at(-1), 'acked')
  node.toRedis.resume()
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations: [revocation], leaseMs: longLeaseMs }), [])
})

t.test('auth that hears nothing from Redis grants no lease, and takes no revocation', async (t) => {
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
  t.ok(refused.status >= 500, `not answered as if it were committed: ${refused.status}`)
  for (const [index, each] of nodes.entries()) {
    await logged(each, /the lease is out; every connection is held/, before[index])
  }
  scene.authToRedis.resume()
  const revocation = await until('revocations are taken again', () =>
    Revocation.commit(auth.api, { token: ada.token.jti }, [ada]).catch(() => undefined),
  )
  await revocation.complete()
  t.equal(await ada.ends(), 4500)
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})
