import t from 'tap'
import { judge } from './judge.js'
import { Recorder } from './recorder.js'
import { Revocation } from './revocation.js'
import { logged, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 2500

t.test('a node without a lease for longer than the grace sends everyone away', async (t) => {
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
    const code = await one.ends()
    t.ok(code === 4000 || code === 1006, `${one.name} is closed: ${code}`)
  }
  t.ok(
    others.some(({ end }) => end?.code === 4000),
    'with the code that says: come back',
  )
  await revocation.complete()
  t.same(revocation.statesOf(node.name), ['pending', 'fenced'])
  node.toAuth.resume()

  await node.ready()
  const back = await Recorder.open('bob', node.wsUrl, (others[0] ?? ada).token)
  t.teardown(() => back.leave())
  await traffic.reaches(back)
  await traffic.reaches(listens)
  await t.rejects(Recorder.open('ada', node.wsUrl, ada.token), 'a revoked one cannot come back')
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})
