import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { logged, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

// Long, so that a receipt which waits for half a lease more than it may is late beyond the slack.
const leaseMs = 5000

t.test('a node speaks to auth and hears nothing', async (t) => {
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
  // Its renewals arrive. They are no sign that it has heard of the revocation.
  const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  await logged(node, /the lease is out; every connection is held/, before)
  await revocation.complete()
  t.same(revocation.statesOf(node.name), ['pending', 'fenced'])
  node.toAuth.resume()
  const code = await ada.ends()
  t.ok(code === 4500 || code === 1006, `closed: ${code}`)
  t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
})

t.test('a node hears auth and is not heard', async (t) => {
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
  t.equal(await ada.ends(), 4500, 'closed at once')
  await revocation.complete()
  t.same(revocation.statesOf(node.name), ['pending', 'fenced'], 'though nobody could know')
  node.toAuth.resume()
  await node.ready()
  await traffic.reaches(lives)
  await listens.hears('lives', lives.say())
  t.same(judge({ clients, revocations: [revocation], leaseMs: 2500 }), [])
})
