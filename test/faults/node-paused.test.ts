import t from 'tap'
import { judge } from './judge.js'
import { Recorder } from './recorder.js'
import { Revocation } from './revocation.js'
import { goOn, logged, metric, pause, startScene } from './scene.js'
import { chat, Traffic } from './traffic.js'

const leaseMs = 2500

t.test('a node is stopped past its lease, and goes on', async (t) => {
  const scene = await startScene(t, {
    nodes: 2,
    authEnv: { LEASE_MS: `${leaseMs}` },
    // Longer than this test takes: what was held goes on.
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

  // Nothing of the revocations waits in its buffers when it goes on: its own clock has to stop it.
  node.toAuth.stall('client')
  talk.stop()
  await pause(node)
  const before = node.output().length
  // From here on the kernel alone takes what these clients say.
  const said = { ada: ada.said.length, eve: eve.said.length, lives: lives.said.length }
  talk.start()
  const watched = await Revocation.commit(auth.api, { token: ada.token.jti }, [ada])
  const waited = await Revocation.commit(auth.api, { token: eve.token.jti, wait: 30_000 }, [eve])
  await watched.complete()
  t.same(
    watched.statesOf(node.name),
    ['pending', 'fenced'],
    'never counted as done before its time',
  )
  t.same(watched.statesOf(other.name).at(-1), 'acked')
  t.same(waited.statesOf(node.name), ['fenced'], 'who waits is answered when it is complete')
  await traffic.reaches(listens)
  goOn(node)
  await logged(node, /the lease is out; every connection is held/, before)
  await traffic.reaches(listens)
  node.toAuth.resume()

  for (const one of [ada, eve]) {
    const code = await one.ends()
    // A socket that the node could not empty before it held everything is cut.
    t.ok(code === 4500 || code === 1006, `${one.name} is closed: ${code}`)
  }
  await logged(node, /the lease is held; connections are let through/, before)
  t.ok(((await metric(node, 'realtime_leases_lost_total')) ?? 0) > 0, 'the loss is counted')
  await node.ready()
  if (lives.end === undefined) {
    await traffic.reaches(lives)
    await listens.hears('lives', said.lives + 1)
    t.pass('what was held goes on')
  } else {
    t.equal(lives.end.code, 1006)
  }
  const back = await client('back', node)
  await traffic.reaches(back)
  await listens.hears('back', back.say())
  await t.rejects(Recorder.open('ada', node.wsUrl, ada.token), 'a revoked one cannot come back')
  for (const one of [ada, eve] as const) {
    const late = [lives, listens, back].flatMap(({ heard }) =>
      heard.filter(({ from, n }) => from === one.name && n > said[one === ada ? 'ada' : 'eve']),
    )
    t.same(late, [], 'nothing of what was said to the stopped node is taken')
  }
  t.same(judge({ clients, revocations: [watched, waited], leaseMs }), [])
})
