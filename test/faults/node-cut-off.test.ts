import t from 'tap'
import type { TcpProxy } from './network/tcp-proxy.js'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, metric, startScene } from './scene/scene.js'

const leaseMs = 2500

const ways: Record<string, (toAuth: TcpProxy) => void> = {
  'cut off': (toAuth) => toAuth.cut(),
  'without responses': (toAuth) => toAuth.stall(),
}

for (const [how, part] of Object.entries(ways)) {
  t.test(
    `a node ${how} past its lease holds its connections, and resumes when auth is back`,
    async (t) => {
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
      const [fromAda, fromLives] = [ada.sent.length, lives.sent.length]
      for (let more = 0; more < 5; more += 1) {
        await traffic.reaches(listens)
      }
      t.equal(ada.messages.length, toAda, 'the revoked client receives nothing')
      t.equal(
        lives.messages.length,
        toLives,
        'other clients receive nothing either: the node cannot know which tokens are revoked',
      )
      t.notOk(
        listens.received.some(({ from, n }) => from === 'lives' && n > fromLives),
        'no publication is accepted',
      )
      t.equal(await metric(node, 'portcullis_realtime_connections'), 2, 'the sockets stay open')
      node.toAuth.resume()

      const code = await ada.closed()
      t.ok(code === 4500 || code === 1006, `closed: ${code}`)
      await logged(node, /the lease is held; connections are let through/, before)
      await node.ready()
      await traffic.reaches(lives)
      await listens.receives('lives', lives.sent.length)
      const numbers = lives.received.filter(({ from }) => from === Traffic.from).map(({ n }) => n)
      const first = numbers[0] ?? 0
      t.same(
        numbers,
        numbers.map((_, index) => first + index),
        'held publications arrive in order',
      )
      const taken = listens.received.filter(({ from }) => from === 'lives').map(({ n }) => n)
      t.same(
        taken,
        taken.toSorted((a, b) => a - b),
        'waiting publications are accepted in order',
      )
      const [firstTaken = 0, lastTaken = 0] = [taken[0], taken.at(-1)]
      const lost = lives.sent.filter(
        ({ n }) => n > firstTaken && n < lastTaken && !taken.includes(n),
      )
      // Redis refuses a write that was in flight when the lease ended.
      t.ok(lost.length <= 1, 'and every one that waited is accepted')
      t.notOk(lost[0]?.acceptedAt, 'a publication that is lost was not confirmed')
      t.notOk(listens.received.some(({ from, n }) => from === 'ada' && n > fromAda))
      t.same(judge({ clients, revocations: [revocation], leaseMs }), [])
    },
  )
}
