import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, metric, startScene } from './scene/scene.js'

const leaseMs = 10_000
const feedLength = 3

t.test(
  'a node introspects its tokens again when the feed no longer has the events it missed',
  async (t) => {
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
      t.equal(await one.closed(), 4500, `${one.name} is closed`)
    }
    for (const revocation of revocations) {
      await revocation.complete()
    }
    await logged(node, /the feed has lost its place; introspecting \d+ live tokens again/, before)
    await logged(node, /the revocation feed is in sync/, before)
    t.equal(await metric(node, 'portcullis_realtime_resyncs_total'), 1, 'the resync is counted')
    await traffic.reaches(lives)
    await listens.receives('lives', lives.publish())
    t.same(judge({ clients, revocations, leaseMs }), [])
  },
)
