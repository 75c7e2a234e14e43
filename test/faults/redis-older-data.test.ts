import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, metric, startScene } from './scene/scene.js'
import { until } from './until.js'

const leaseMs = 2000

t.test('nodes introspect their tokens again when Redis returns with older data', async (t) => {
  const scene = await startScene(t, { nodes: 2, authEnv: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, redis, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const lost = await Promise.all(['lost-1', 'lost-2'].map((name) => client(name, node)))
  const covered = await Promise.all(['one', 'two', 'three'].map((name) => client(name, node)))
  const after = await client('after', node)
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [...lost, ...covered, after, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  const backup = redis.backUp()
  for (const one of lost) {
    const revocation = await Revocation.commit(auth.api, { token: one.token.jti }, [one])
    await revocation.complete()
    t.equal(await one.closed(), 4500, 'revoked after the backup')
  }
  const logLengths = nodes.map((each) => each.output().length)
  await redis.kill()
  redis.restore(backup)
  // One node is connected when the feed goes backwards. The other returns to a feed that has grown past
  // its cursor, with other events at the positions it knows.
  node.toAuth.cut()
  await redis.start()
  const revocations: Revocation[] = []
  for (const one of covered) {
    revocations.push(
      await until('revocations are accepted again', () =>
        Revocation.commit(auth.api, { token: one.token.jti }, [one]).catch(() => undefined),
      ),
    )
  }
  node.toAuth.resume()

  for (const one of covered) {
    t.equal(await one.closed(), 4500, `${one.name} is closed`)
  }
  await traffic.reaches(after)
  revocations.push(await Revocation.commit(auth.api, { token: after.token.jti }, [after]))
  t.equal(await after.closed(), 4500)
  for (const revocation of revocations) {
    await revocation.complete()
  }
  for (const [index, each] of nodes.entries()) {
    await logged(each, /the feed has lost its place; introspecting \d+ live/, logLengths[index])
    await logged(each, /the revocation feed is in sync/, logLengths[index])
    t.ok(
      ((await metric(each, 'portcullis_realtime_resyncs_total')) ?? 0) > 0,
      'the resync is counted',
    )
  }
  await traffic.reaches(lives)
  await traffic.reaches(listens)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
