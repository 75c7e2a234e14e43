import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { startScene } from './scene/scene.js'

const leaseMs = 3000

t.test('receipts wait for the lease of a killed node, which may restart at once', async (t) => {
  const scene = await startScene(t, { nodes: 2, authEnv: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const ada = await client('ada', node)
  const eve = await client('eve', other)
  const listens = await client('listens', other)
  const clients = [ada, eve, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  await node.kill()
  const revocations = [await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])]
  t.equal(revocations[0]?.seen[0]?.[node.name], 'pending', 'a dead node has not confirmed')
  await node.restart()
  const back = await client('back', node)
  await traffic.reaches(back)
  await listens.receives('back', back.publish())
  revocations.push(await Revocation.commit(auth.api, { token: eve.token.jti }, [eve]))

  const [first, second] = await Promise.all(revocations.map((each) => each.complete()))
  t.match(
    first?.nodes.filter((each) => each.node === node.name),
    [{ state: 'fenced' }],
  )
  const states = second?.nodes.filter(({ node: name }) => name === node.name)
  const apart = (second?.at ?? 0) - (first?.at ?? 0)
  // On a very busy machine the new process may start only after the old one's lease has expired.
  const both = apart < (first?.nodes.find(({ state }) => state === 'fenced')?.ms ?? 0)
  t.ok(
    states?.some(({ state }) => state === 'acked'),
    'the receipt waits for the new process',
  )
  t.ok(
    !both || states?.some(({ state }) => state === 'fenced'),
    'the receipt waits for the old process too, which may still run',
  )
  t.equal(await ada.closed(), 1006)
  t.equal(await eve.closed(), 4500)
  await traffic.reaches(back)
  await listens.receives('back', back.publish())
  t.same(judge({ clients: [...clients, back], revocations, leaseMs }), [])
})
