import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { logged, metric, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 10_000

t.test('an auth is killed with events in flight, and the node moves to another', async (t) => {
  const scene = await startScene(t, { nodes: 2 })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const second = await scene.secondAuth()
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const names = Array.from({ length: 8 }, (_, index) => `user-${index}`)
  const covered = await Promise.all(names.map((name) => client(name, node)))
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [...covered, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  // What it tells the node is on its way, and lost with it.
  node.toAuth.stall('client')
  const before = node.output().length
  const revocations = await Promise.all(
    covered.map((one) => Revocation.commit(second.api, { token: one.token.jti }, [one])),
  )
  await auth.kill()
  for (const { toAuth } of nodes) {
    toAuth.moveTo(second.url)
    toAuth.drop()
    toAuth.resume()
  }

  for (const revocation of revocations) {
    t.equal(revocation.seen[0]?.[node.name], 'pending', 'the node had not heard of it')
    const receipt = await revocation.complete()
    t.same(
      receipt.nodes.map(({ state }) => state),
      ['acked', 'acked'],
    )
  }
  for (const one of covered) {
    t.equal(await one.ends(), 4500, `${one.name} is closed`)
  }
  await logged(node, /the revocation feed is lost/, before)
  await logged(node, /the revocation feed is in sync/, before)
  t.ok(((await metric(node, 'realtime_feed_reconnects_total')) ?? 0) > 0, 'and it is counted')
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
