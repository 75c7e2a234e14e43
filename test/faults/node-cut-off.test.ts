import t from 'tap'
import { judge } from './judge.js'
import { Revocation } from './revocation.js'
import { logged, metric, startScene } from './scene.js'
import type { TcpProxy } from './tcp-proxy.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 2500

const ways: Record<string, (toAuth: TcpProxy) => void> = {
  'cut off': (toAuth) => toAuth.cut(),
  'left without an answer': (toAuth) => toAuth.stall(),
}

for (const [how, part] of Object.entries(ways)) {
  t.test(`a node is ${how} past its lease; it holds, and goes on when auth is back`, async (t) => {
    const scene = await startScene(t, {
      nodes: 2,
      authEnv: { LEASE_MS: `${leaseMs}` },
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

    const before = node.output().length
    part(node.toAuth)
    const revocation = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
    await logged(node, /the lease is out; every connection is held/, before)
    await revocation.complete()
    t.same(revocation.statesOf(node.name), ['pending', 'fenced'])
    const [toAda, toLives] = [ada.messages.length, lives.messages.length]
    const [fromAda, fromLives] = [ada.said.length, lives.said.length]
    for (let more = 0; more < 5; more += 1) {
      await traffic.reaches(listens)
    }
    t.equal(ada.messages.length, toAda, 'nothing reaches the revoked')
    t.equal(lives.messages.length, toLives, 'nor anybody else: who is revoked cannot be known')
    t.notOk(
      listens.heard.some(({ from, n }) => from === 'lives' && n > fromLives),
      'nor is anything taken',
    )
    t.equal(await metric(node, 'realtime_connections'), 2, 'their sockets stay')
    node.toAuth.resume()

    const code = await ada.ends()
    t.ok(code === 4500 || code === 1006, `closed: ${code}`)
    await logged(node, /the lease is held; connections are let through/, before)
    await node.ready()
    await traffic.reaches(lives)
    await listens.hears('lives', lives.said.length)
    const numbers = lives.heard.filter(({ from }) => from === Traffic.from).map(({ n }) => n)
    const first = numbers[0] ?? 0
    t.same(
      numbers,
      numbers.map((_, index) => first + index),
      'everything that was held came, in order',
    )
    const taken = listens.heard.filter(({ from }) => from === 'lives').map(({ n }) => n)
    t.same(
      taken,
      taken.map((_, index) => (taken[0] ?? 0) + index),
      'and everything that had to wait was taken, in order',
    )
    t.notOk(listens.heard.some(({ from, n }) => from === 'ada' && n > fromAda))
    t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
  })
}
