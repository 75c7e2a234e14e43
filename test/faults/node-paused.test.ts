import t from 'tap'
import { judge } from './record/judge.js'
import { Recorder } from './record/recorder.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { logged, metric, pause, resume, startScene } from './scene/scene.js'

const leaseMs = 2500

t.test('a node stopped past its lease delivers nothing when it is resumed', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { LEASE_MS: `${leaseMs}` },
    // Longer than this test: connections resume.
    nodeEnv: { LEASE_GRACE_MS: '60000' },
  })
  const { auth, nodes, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const [ada, eve] = [await client('ada', node), await client('eve', node)]
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [ada, eve, lives, listens]
  const talk = chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  // No revocation is in its buffers when it is resumed, so only its own clock can stop it.
  node.toAuth.stall('client')
  talk.stop()
  await pause(node)
  const before = node.output().length
  // Now only the kernel receives what these clients publish.
  const sentBefore = { ada: ada.sent.length, eve: eve.sent.length, lives: lives.sent.length }
  talk.start()
  const watched = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  const waited = await Revocation.commit(auth.api, { token: eve.token.jti, wait: 30_000 }, [eve])
  await watched.complete()
  t.same(
    watched.statesOf(node.name),
    ['pending', 'fenced'],
    'the node does not count as confirmed before its lease has expired',
  )
  t.same(watched.statesOf(other.name).at(-1), 'acked')
  t.same(waited.statesOf(node.name), ['fenced'], 'wait returns the complete receipt')
  await traffic.reaches(listens)
  resume(node)
  await logged(node, /the lease is out; every connection is held/, before)
  await traffic.reaches(listens)
  node.toAuth.resume()

  for (const one of [ada, eve]) {
    const code = await one.closed()
    // A socket with unsent data when the node began to hold is cut.
    t.ok(code === 4500 || code === 1006, `${one.name} is closed: ${code}`)
  }
  await logged(node, /the lease is held; connections are let through/, before)
  t.ok(
    ((await metric(node, 'portcullis_realtime_leases_lost_total')) ?? 0) > 0,
    'the loss is counted',
  )
  await node.ready()
  if (lives.end === undefined) {
    await traffic.reaches(lives)
    await listens.receives('lives', sentBefore.lives + 1)
    t.pass('held connections resume')
  } else {
    t.equal(lives.end.code, 1006)
  }
  const back = await client('back', node)
  await traffic.reaches(back)
  await listens.receives('back', back.publish())
  await t.rejects(Recorder.open('ada', node.wsUrl, ada.token), 'a revoked token is refused')
  for (const one of [ada, eve] as const) {
    const late = [lives, listens, back].flatMap(({ received }) =>
      received.filter(
        ({ from, n }) => from === one.name && n > sentBefore[one === ada ? 'ada' : 'eve'],
      ),
    )
    t.same(late, [], 'nothing published to the stopped node is accepted')
  }
  t.same(judge({ clients, revocations: [watched, waited], leaseMs }), [])
})
