import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, metric, startScene } from './scene/scene.js'

const leaseMs = 10_000

t.test(
  'a node moves to another auth after the first is killed with events in flight',
  async (t) => {
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

    // Events to the node are held here, and lost when auth is killed.
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
      t.equal(revocation.seen[0]?.[node.name], 'pending', 'the node has not received the event')
      const receipt = await revocation.complete()
      t.same(
        receipt.nodes.map(({ state }) => state),
        ['acked', 'acked'],
      )
    }
    for (const one of covered) {
      t.equal(await one.closed(), 4500, `${one.name} is closed`)
    }
    await logged(node, /the revocation feed is lost/, before)
    await logged(node, /the revocation feed is in sync/, before)
    t.ok(
      ((await metric(node, 'portcullis_realtime_feed_reconnects_total')) ?? 0) > 0,
      'the reconnect is counted',
    )
    await traffic.reaches(lives)
    await listens.receives('lives', lives.publish())
    t.same(judge({ clients, revocations, leaseMs }), [])
  },
)
