import t from 'tap'
import { judge } from './judge.js'
import { Recorder } from './recorder.js'
import { Revocation } from './revocation.js'
import { startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'
import { until } from './until.js'

const leaseMs = 3000

t.test('Redis comes back with data from before a node joined, which is cut off', async (t) => {
  const scene = await startScene(t, { nodes: 2, authEnv: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, redis, client } = scene
  const [, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const listens = await client('listens', other)
  const [adasToken, livesToken] = [await scene.tokenFor('ada'), await scene.tokenFor('lives')]
  const backup = redis.backUp()
  const node = await scene.startNode()
  const ada = await Recorder.open('ada', node.wsUrl, adasToken)
  const lives = await Recorder.open('lives', node.wsUrl, livesToken)
  t.teardown(() => [ada, lives].map((one) => one.leave()))
  const clients = [ada, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  // It has a lease, and only itself knows.
  node.toAuth.stall()
  await redis.kill()
  redis.restore(backup)
  await redis.start()
  const revocation = await until('revocations are taken again', () =>
    Revocation.commit(auth.api, { token: ada.token.jti }, [ada]).catch(() => undefined),
  )
  t.notOk(node.name in (revocation.seen[0] ?? {}), 'the registry does not know the node')
  t.equal(revocation.seen[0]?.['(unknown)'], 'pending', 'and knows that it does not know all')
  await revocation.complete()
  t.equal(revocation.statesOf('(unknown)').at(-1), 'fenced')
  await traffic.reaches(listens)
  node.toAuth.resume()

  const code = await ada.ends()
  t.ok(code === 4500 || code === 1006, `closed: ${code}`)
  await node.ready()
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  const later = await Revocation.commit(auth.api, { token: lives.token.jti }, [lives])
  await later.complete()
  t.equal(later.statesOf(node.name).at(-1), 'acked', 'the node is waited for again')
  t.equal(await lives.ends(), 4500)
  t.same(judge({ clients, revocations: [revocation, later], leaseMs }), [])
})
