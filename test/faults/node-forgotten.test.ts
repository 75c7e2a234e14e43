import t from 'tap'
import { judge } from './record/judge.js'
import { Recorder } from './record/recorder.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { startScene } from './scene/scene.js'
import { until } from './until.js'

const leaseMs = 3000

t.test(
  'a receipt waits for unknown nodes when Redis returns with data from before a node joined',
  async (t) => {
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
    t.teardown(() => [ada, lives].map((one) => one.disconnect()))
    const clients = [ada, lives, listens]
    chat(t, clients)
    for (const one of clients) {
      await traffic.reaches(one)
    }

    // The node has a lease that the registry will not know.
    node.toAuth.stall()
    await redis.kill()
    redis.restore(backup)
    await redis.start()
    const revocation = await until('revocations are accepted again', () =>
      Revocation.commit(auth.api, { token: ada.token.jti }, [ada]).catch(() => undefined),
    )
    t.notOk(node.name in (revocation.seen[0] ?? {}), 'the registry does not know the node')
    t.equal(revocation.seen[0]?.['(unknown)'], 'pending', 'the receipt waits for unknown nodes')
    await revocation.complete()
    t.equal(revocation.statesOf('(unknown)').at(-1), 'fenced')
    await traffic.reaches(listens)
    node.toAuth.resume()

    const code = await ada.closed()
    t.ok(code === 4500 || code === 1006, `closed: ${code}`)
    await node.ready()
    await traffic.reaches(lives)
    await listens.receives('lives', lives.publish())
    const later = await Revocation.commit(auth.api, { token: lives.token.jti }, [lives])
    await later.complete()
    t.equal(later.statesOf(node.name).at(-1), 'acked', 'receipts wait for the node again')
    t.equal(await lives.closed(), 4500)
    t.same(judge({ clients, revocations: [revocation, later], leaseMs }), [])
  },
)
