import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 3000

t.test(
  'a node is killed; its receipts wait for its lease, and it may come back at once',
  async (t) => {
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
    t.equal(revocations[0]?.seen[0]?.[node.name], 'pending', 'gone is not done')
    await node.restart()
    const back = await client('back', node)
    await traffic.reaches(back)
    await listens.hears('back', back.say())
    revocations.push(await Revocation.commit(auth.api, { token: eve.token.jti }, [eve]))

    const [first, second] = await Promise.all(revocations.map((each) => each.complete()))
    t.match(
      first?.nodes.filter((each) => each.node === node.name),
      [{ state: 'fenced' }],
    )
    const states = second?.nodes.filter(({ node: name }) => name === node.name)
    const apart = (second?.at ?? 0) - (first?.at ?? 0)
    // On a very busy machine the new process is there only after the old one's lease.
    const both = apart < (first?.nodes.find(({ state }) => state === 'fenced')?.ms ?? 0)
    t.ok(
      states?.some(({ state }) => state === 'acked'),
      'the new process is waited for',
    )
    t.ok(
      !both || states?.some(({ state }) => state === 'fenced'),
      'and the old one, which may still live',
    )
    t.equal(await ada.ends(), 1006)
    t.equal(await eve.ends(), 4500)
    await traffic.reaches(back)
    await listens.hears('back', back.say())
    t.same(judge({ clients: [...clients, back], revocations, leaseMs }), [])
  },
)
