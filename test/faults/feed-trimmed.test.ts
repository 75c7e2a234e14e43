import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { logged, metric, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 10_000
const feedLength = 3

t.test('a node comes back to a feed that no longer has what it missed', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { FEED_MAX_LENGTH: `${feedLength}`, LEASE_MS: `${leaseMs}` },
  })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const names = Array.from({ length: 2 * feedLength }, (_, index) => `user-${index}`)
  const covered = await Promise.all(names.map((name) => client(name, node)))
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [...covered, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  const before = node.output().length
  node.toAuth.cut()
  await logged(node, /the revocation feed is lost/, before)
  const revocations: Revocation[] = []
  for (const one of covered) {
    revocations.push(await Revocation.commit(auth.api, { token: one.token.jti }, [one]))
  }
  for (const { seen } of revocations) {
    t.same(seen[0]?.[node.name], 'pending')
  }
  node.toAuth.resume()

  for (const one of covered) {
    t.equal(await one.ends(), 4500, `${one.name} is closed`)
  }
  for (const revocation of revocations) {
    await revocation.complete()
  }
  await logged(node, /the feed has lost its place; introspecting \d+ live tokens again/, before)
  await logged(node, /the revocation feed is in sync/, before)
  t.equal(await metric(node, 'realtime_resyncs_total'), 1, 'and it is counted')
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
