import t from 'tap'
import { judge } from './record/judge.js'
import { Revocation } from './record/revocation.js'
import { chat, Traffic } from './record/traffic.js'
import { startScene } from './scene/scene.js'
import { until } from './until.js'

const leaseMs = 2000

t.test('revocations before, during and after a restart of Redis take effect', async (t) => {
  const scene = await startScene(t, { nodes: 2, authEnv: { LEASE_MS: `${leaseMs}` } })
  const { auth, nodes, redis, client } = scene
  const [node, other] = nodes
  const traffic = Traffic.start(t, other.url, await scene.tokenFor('press', 'server'))
  const before = await client('before', node)
  const during = await client('during', node)
  const after = await client('after', node)
  const lives = await client('lives', node)
  const listens = await client('listens', other)
  const clients = [before, during, after, lives, listens]
  chat(t, clients)
  for (const one of clients) {
    await traffic.reaches(one)
  }

  // Committed, but the node does not receive it before Redis is killed.
  node.toAuth.stall('client')
  const revocations = [await Revocation.commit(auth.api, { token: before.token.jti }, [before])]
  t.equal(revocations[0]?.seen[0]?.[node.name], 'pending')
  await redis.kill()
  node.toAuth.resume()
  const refused = await auth.api('POST', '/v1/revocations', { token: during.token.jti })
  t.ok(refused.status >= 500, 'a revocation that is not on disk is not confirmed')
  await redis.start()
  revocations.push(
    await until('revocations are accepted again', () =>
      Revocation.commit(auth.api, { token: during.token.jti }, [during]).catch(() => undefined),
    ),
  )
  // A node may take longer than auth to reconnect to Redis.
  await traffic.reaches(after)
  revocations.push(await Revocation.commit(auth.api, { token: after.token.jti }, [after]))

  for (const revocation of revocations) {
    await revocation.complete()
  }
  for (const one of [before, during, after]) {
    t.equal(await one.closed(), 4500, `${one.name} is closed`)
  }
  await traffic.reaches(lives)
  await listens.receives('lives', lives.publish())
  t.same(judge({ clients, revocations, leaseMs }), [])
})
