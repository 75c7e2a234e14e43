import t from 'tap'
import { judge } from './record/judge.js'
import { Recorder } from './record/recorder.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, startScene } from './scene/scene.js'

const leaseMs = 2500

t.test('a node without a lease closes every connection after the grace period', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { LEASE_MS: `${leaseMs}` },
    nodeEnv: { LEASE_GRACE_MS: '500' },
  })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const ada = await client('ada', node)
  const others = await Promise.all(['bob', 'carol', 'dave'].map((name) => client(name, node)))
  const listens = await client('listens', other)
  const clients = [ada, ...others, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  const before = node.output().length
  node.toAuth.stall()
  const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  await logged(node, /the lease is out; every connection is held/, before)
  for (const one of [ada, ...others]) {
    const code = await one.closed()
    t.ok(code === 4000 || code === 1006, `${one.name} is closed: ${code}`)
  }
  t.ok(
    others.some(({ end }) => end?.code === 4000),
    'closed with the code that asks clients to reconnect',
  )
  await revocation.complete()
  t.same(revocation.statesOf(node.name), ['pending', 'fenced'])
  node.toAuth.resume()

  await node.ready()
  const back = await Recorder.open('bob', node.wsUrl, (others[0] ?? ada).token)
  t.teardown(() => back.disconnect())
  await traffic.reaches(back)
  await traffic.reaches(listens)
  await t.rejects(Recorder.open('ada', node.wsUrl, ada.token), 'a revoked token is refused')
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})
