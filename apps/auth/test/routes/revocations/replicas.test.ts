import { setImmediate } from 'node:timers/promises'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { joined } from '../../fixtures/node.js'
import { replicatedRedis, serverProgram } from '../../fixtures/replicated-redis.js'

const program = serverProgram()
const replicated = { skip: program === undefined ? 'no redis-server is installed' : false }

/** Revokes the tokens of an identity that does not exist. */
function revoke(self: Auth, admin: string, body: object) {
  return self.api(admin, 'POST', '/v1/revocations', { identity: 'unknown', ...body })
}

/** Returns true if a receipt does not mention replicas. */
function isWithoutReplicas(receipt: object): boolean {
  return !('replicas' in receipt) && !('replicasAsked' in receipt)
}

t.test('waits until the requested replicas have the revocation', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  for (const PARTITIONS of ['1', '16']) {
    const self = await auth(t, { REDIS_URL: redis.url, PARTITIONS })
    const admin = await self.token()
    const replica = connect({ url: redis.replicaUrl, onError: () => {} })
    t.teardown(() => close(replica))
    await replica.connect()
    for (const selector of [{}, { identity: undefined, all: true }]) {
      const done = await revoke(self, admin, { ...selector, replicas: 1 })
      const { id } = done.json()
      const found: string[] = []
      for (let partition = 0; partition < Number(PARTITIONS); partition++) {
        const key = self.app.registry.keys.receipt(partition, id)
        if ((await replica.hget(key, 'us')) !== null) {
          found.push(key)
        }
      }
      t.equal(
        found.length,
        'all' in selector ? Number(PARTITIONS) : 1,
        'the replica has the receipt',
      )
      t.equal(done.statusCode, 201)
      t.match(done.json(), { complete: true, replicas: 1, replicasAsked: 1 })
      const caller = await self.token()
      const read = await self.api(caller, 'GET', `/v1/revocations/${id}`)
      t.same(read.json(), done.json(), 'returns the same receipt later')
    }
  }
})

t.test('does not wait for replicas, or mention them, unless requested', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  t.ok(isWithoutReplicas((await revoke(self, admin, {})).json()))
  t.ok(isWithoutReplicas((await revoke(self, admin, { replicas: 0 })).json()))
  for (const replicas of [-1, 17, 1.5, '1']) {
    t.equal((await revoke(self, admin, { replicas })).statusCode, 400)
  }
  t.same((await revoke(self, admin, { replicas: 3, dryRun: true })).json(), {
    dryRun: true,
    tokens: 0,
  })
})

t.test('is not ready while Redis accepts no writes', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url })
  t.equal((await self.app.inject('/ready')).statusCode, 200)
  const { redis: commands } = self.app.registry
  await commands.call('CONFIG', 'SET', 'min-replicas-to-write', '1')
  await redis.endReplica()
  const answer = await self.app.inject('/ready')
  t.equal(answer.statusCode, 503, 'cannot renew its lease')
  t.match(answer.json(), { reasons: { redis: /takes no writes/ } })
  await commands.call('CONFIG', 'SET', 'min-replicas-to-write', '0')
  t.equal((await self.app.inject('/ready')).statusCode, 200)
})

t.test('uses REVOCATION_REPLICAS when the request has no replicas', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url, REVOCATION_REPLICAS: '1' })
  const admin = await self.token()
  t.match((await revoke(self, admin, {})).json(), { replicas: 1, replicasAsked: 1 })
  t.ok(
    isWithoutReplicas((await revoke(self, admin, { replicas: 0 })).json()),
    'a request with 0 overrides it',
  )
  const { identity } = await self.identity([])
  const suspended = await self.api(admin, 'POST', `/v1/identities/${identity}/suspend`)
  t.match(suspended.json().revocation, { replicas: 1, replicasAsked: 1 })
  const deleted = await self.api(admin, 'DELETE', `/v1/identities/${identity}`)
  t.equal(deleted.statusCode, 204)
  const receipt = await self.api(admin, 'GET', deleted.headers.location ?? '')
  t.match(receipt.json(), { replicas: 1, replicasAsked: 1 })
})

t.test('reports fewer replicas than requested after a bounded wait', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url })
  const admin = await self.token()
  const two = await revoke(self, admin, { replicas: 2 })
  t.equal(two.statusCode, 201)
  t.match(two.json(), { replicas: 1, replicasAsked: 2 })

  redis.pauseReplica()
  const paused = await revoke(self, admin, { replicas: 1 })
  t.equal(paused.statusCode, 201)
  t.match(paused.json(), { complete: true, replicas: 0, replicasAsked: 1 })
  redis.continueReplica()
  await redis.inSync()
  t.match((await revoke(self, admin, { replicas: 1 })).json(), { replicas: 1 })

  await redis.endReplica()
  const ended = await revoke(self, admin, { replicas: 1, wait: 100 })
  t.match(ended.json(), { replicas: 0, replicasAsked: 1 })
  const [read] = (await self.api(admin, 'GET', '/v1/revocations?limit=1')).json().revocations
  t.same(read, ended.json())
  const { body } = await self.app.inject('/metrics')
  t.match(body, 'portcullis_auth_revocations_under_replicated_total 3\n')
})

t.test('serves other requests while revocations wait for replicas', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url })
  const admin = await self.token()
  const feed = await joined(t, self, 'node-1')
  redis.pauseReplica()
  let answered = 0
  // More than the connections that wait for replicas.
  const waiting = Array.from({ length: 20 }, async () => {
    const answer = await revoke(self, admin, { replicas: 1 })
    answered += 1
    return answer
  })
  await feed.events(20)
  t.equal(answered, 0, 'sends the events before the responses')
  const others = await Promise.all([
    self.api(admin, 'GET', '/v1/nodes'),
    self.api(admin, 'POST', '/v1/introspections', { tokens: [admin] }),
    revoke(self, admin, {}),
  ])
  t.same(
    others.map(({ statusCode }) => statusCode),
    [200, 200, 201],
  )
  t.equal(answered, 0, 'serves other requests before the responses')
  const answers = await Promise.all(waiting)
  for (const answer of answers) {
    t.equal(answer.statusCode, 201)
    t.match(answer.json(), { replicas: 0, replicasAsked: 1 })
  }
})

t.test('does not report a revocation that a failover lost as committed', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url })
  const admin = await self.token()
  redis.pauseReplica()
  const raw = connect({ url: redis.url, onError: () => {} })
  t.teardown(() => close(raw))
  await raw.connect()
  const key = `{${self.prefix}:0}:receipts`
  const answer = revoke(self, admin, { replicas: 1 })
  // Delete the receipt, as on a new primary that never had it.
  let id: string | undefined
  while (id === undefined) {
    await setImmediate()
    ;[id] = await raw.zrange(key, '0', '-1')
  }
  await raw.del(`{${self.prefix}:0}:receipt:${id}`)
  const lost = await answer
  t.equal(lost.statusCode, 503)
  t.equal(lost.json().code, 'registry_unavailable')
})

t.test('reports no replicas when the waiting connection is cut', replicated, async (t) => {
  const redis = await replicatedRedis(t, program ?? '')
  const self = await auth(t, { REDIS_URL: redis.url })
  const admin = await self.token()
  redis.pauseReplica()
  const raw = connect({ url: redis.url, onError: () => {} })
  t.teardown(() => close(raw))
  await raw.connect()
  const answer = revoke(self, admin, { replicas: 1 })
  let id: string | undefined
  while (id === undefined) {
    await setImmediate()
    const list = String(await raw.client('LIST'))
    const blocked = list
      .split('\n')
      .find((line) => line.includes('name=portcullis-auth-waiting') && line.includes('flags=b'))
    id = /^id=(\d+)/.exec(blocked ?? '')?.[1]
  }
  await raw.client('KILL', 'ID', id)
  const cut = await answer
  t.equal(cut.statusCode, 201)
  t.match(cut.json(), { replicas: 0, replicasAsked: 1 })
  redis.continueReplica()
  await redis.inSync()
  t.match(
    (await revoke(self, admin, { replicas: 1 })).json(),
    { replicas: 1 },
    'waits on a new connection afterwards',
  )
})
