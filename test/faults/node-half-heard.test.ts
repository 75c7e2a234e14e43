import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, startScene } from './scene/scene.js'

// So long that a receipt which waits half a lease too long exceeds the judge's tolerance.
const leaseMs = 5000

t.test('a node that reaches auth but receives nothing is fenced', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { LEASE_MS: `${leaseMs}` },
    nodeEnv: { LEASE_GRACE_MS: '60000' },
  })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const ada = await client('ada', node)
  const listens = await client('listens', other)
  const clients = [ada, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  const before = node.output().length
  node.toAuth.stall('client')
  // Its renewals arrive, but must not count as an acknowledgement.
  const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  await logged(node, /the lease is out; every connection is held/, before)
  await revocation.complete()
  t.same(revocation.statesOf(node.name), ['pending', 'fenced'])
  node.toAuth.resume()
  const code = await ada.closed()
  t.ok(code === 4500 || code === 1006, `closed: ${code}`)
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})

t.test('a node that receives events but cannot reach auth is fenced', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { LEASE_MS: '2500' },
    nodeEnv: { LEASE_GRACE_MS: '60000' },
  })
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

  node.toAuth.stall('target')
  const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  t.equal(await ada.closed(), 4500, 'closed at once')
  await revocation.complete()
  t.same(
    revocation.statesOf(node.name),
    ['pending', 'fenced'],
    'auth could not know that the node had applied it',
  )
  node.toAuth.resume()
  await node.ready()
  await traffic.reaches(lives)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations: [revocation], leaseMs: 2500 }), [])
})
