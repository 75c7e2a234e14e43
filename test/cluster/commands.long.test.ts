import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startCluster, type Teardown } from '@portcullis/local'
import { close, connectCommands, followMasters, perMaster, script, slotOf } from '@portcullis/redis'
import t from 'tap'
import { until } from '../faults/until.js'

async function open(t: Teardown, url: string) {
  const redis = connectCommands({ url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  return redis
}

t.test('commands and scripts go to the right master, also when slots move', async (t) => {
  const cluster = await startCluster(t)
  const redis = await open(t, cluster.url)
  const file = join(t.testdir(), 'add.lua')
  writeFileSync(file, "return redis.call('INCR', KEYS[1])")
  const add = script<number>(pathToFileURL(file))
  // Enough keys for slots of all three masters.
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`)
  await Promise.all(keys.map((key) => add(redis, [key], [])))
  for (const odd of ['key', 'ключ', '{}', '{a}{b}', 'x{a', '}{a}']) {
    t.equal(await cluster.servers[0]?.redis.cluster('KEYSLOT', odd), slotOf(odd), odd)
  }
  const [key = ''] = keys
  const slot = slotOf(key)
  const from = await cluster.masterOf(slot)
  const to = cluster.servers.find((server) => server !== from)
  if (to === undefined) {
    throw new Error('no other master')
  }
  const move = await cluster.beginMove(slot, to)
  t.equal(await add(redis, [key], []), 2, 'the key has not moved yet')
  t.equal(await add(redis, [`{${key}}new`], []), 1, 'ASK: a new key goes to the new master')
  t.equal(
    await to.redis.get(`{${key}}new`).catch((error: Error) => error.message.slice(0, 5)),
    'MOVED',
  )
  await move.finish()
  t.equal(await add(redis, [key], []), 3, 'MOVED')
  t.equal(await add(redis, [`{${key}}new`], []), 2)
  t.same(
    await Promise.all(keys.slice(1).map((one) => redis.get(one))),
    keys.slice(1).map(() => '1'),
  )
})

t.test('commands fail at once when a master is killed, then go to its replica', async (t) => {
  const cluster = await startCluster(t, { replicas: 1 })
  const redis = await open(t, cluster.url)
  const slot = slotOf('a')
  const master = await cluster.masterOf(slot)
  const masters = followMasters(redis, { url: cluster.url, onError: () => undefined })
  t.teardown(() => masters.close())
  let changes = 0
  const ended: unknown[] = []
  const waiting = perMaster(masters, {
    slots: [slot, slotOf('{a}b'), slotOf('b'), slotOf('c')],
    make: (one) => one.connect('waiting', 'waits'),
    end: (one) => {
      ended.push(one)
      return close(one)
    },
    onChange: () => {
      changes += 1
    },
  })
  t.teardown(() => waiting.close())
  t.equal(masters.of(slot)?.id, `${master.host}:${master.port}`)
  t.equal(new Set(waiting.all().map((one) => one.master.id)).size, 3)
  const first = waiting.of(slot)
  await first?.connect()
  await redis.set('a', '1')
  await first?.set('a', '2')
  t.equal(await first?.wait(1, 1000), 1)

  await master.kill()
  const asked = performance.now()
  await t.rejects(redis.get('a'))
  t.ok(performance.now() - asked < 1000, 'at once')
  const next = await cluster.promoted(slot, master)
  await until('commands succeed again', () => redis.incr('a').catch(() => undefined))
  t.equal(await next.redis.get('a'), '3')
  await until('the slot map is updated', async () =>
    masters.of(slot)?.id === `${next.host}:${next.port}` ? true : undefined,
  )
  t.ok(changes > 0)
  t.not(waiting.of(slot), first)
  t.same(ended, [first], 'the connection to the old master has ended')
  await waiting.of(slot)?.connect()
  t.equal(await waiting.of(slot)?.incr('a'), 4)
})

t.test('a command that may have been executed is not sent again', async (t) => {
  const cluster = await startCluster(t)
  const redis = await open(t, cluster.url)
  const master = await cluster.masterOf(slotOf('list'))
  const waiting = redis.blpop('list', 30)
  // Attached before the kill, which may close the connection at once.
  const failed = t.rejects(waiting, { message: 'Connection is closed.' })
  await until('the command has arrived', async () =>
    (await master.redis.info('clients')).includes('blocked_clients:1') ? true : undefined,
  )
  await master.redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await failed
  t.equal(
    await until('the next command succeeds', () => redis.rpush('list', 'x').catch(() => undefined)),
    1,
  )
})

t.test('a stopped master delays a command for no longer than the command timeout', async (t) => {
  const cluster = await startCluster(t, { replicas: 1 })
  const redis = await open(t, cluster.url)
  const slot = slotOf('a')
  const master = await cluster.masterOf(slot)
  await redis.set('a', '1')
  await master.redis.wait(1, 1000)
  master.pause()
  await t.rejects(redis.get('a'))
  await cluster.promoted(slot, master)
  t.equal(await until('commands succeed again', () => redis.get('a').catch(() => undefined)), '1')
  // It still takes itself for the master when it is resumed.
  master.resume()
  await redis.set('a', '2')
  await cluster.settled()
  t.equal(await redis.get('a'), '2')
})

t.test('commands fail at once when no node is left', async (t) => {
  const cluster = await startCluster(t)
  const redis = await open(t, cluster.url)
  await redis.set('a', '1')
  await Promise.all(cluster.servers.map((server) => server.kill()))
  // Each command fails at once, and the client learns of one dead node each time.
  await until('the client has noticed', async () => {
    await t.rejects(redis.get('a'))
    return redis.status === 'ready' ? undefined : true
  })
  const asked = performance.now()
  await t.rejects(redis.get('a'), { code: 'REDIS_AWAY' })
  t.ok(performance.now() - asked < 100)
  const never = connectCommands({ url: cluster.url, onError: () => undefined })
  t.teardown(() => close(never))
  await t.rejects(never.connect())
  await t.rejects(never.get('a'), { code: 'REDIS_AWAY' })
})
