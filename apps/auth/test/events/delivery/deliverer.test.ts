import { streamUpdatedEvent } from '@portcullis/contracts/event-receivers'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { partitionOf } from '../../../src/registry/ids.js'
import { openRegistry, revoke } from '../../../src/registry/index.js'
import { type Auth, auth, redisUrl } from '../../fixtures/auth.js'
import { httpReceiver, progress, receiver, revoked, verified } from '../../fixtures/receiver.js'

const quick = { EVENT_RETRY_MS: '1' }

async function txns(self: Auth, pushed: readonly { body: string }[]) {
  const payloads = pushed.map(async ({ body }) => (await verified(self, body)).payload['txn'])
  return (await Promise.all(payloads)).sort()
}

t.test('a restart of auth loses no event', async (t) => {
  const before = await auth(t, quick)
  let status = 503
  const http = await httpReceiver(t, () => status)
  await receiver(before, http.url)
  const ids = [await revoked(before, { identity: 'admin', subject: 'ann' })]
  const { body } = await http.at(1)
  ids.push(await revoked(before, { identity: 'admin', subject: 'bob' }))
  const watching = await before.another()
  await before.app.close()
  await watching.app.close()
  const seen = http.pushed.length
  status = 202
  const after = await before.another()
  await http.at(seen + 2)
  t.same(await txns(after, http.pushed.slice(seen)), ids.sort())
  t.ok(
    http.pushed.slice(seen).some((one) => one.body === body),
    'the event is the same in each attempt',
  )
})

t.test('events committed while no instance runs are delivered later', async (t) => {
  const before = await auth(t)
  const http = await httpReceiver(t)
  await receiver(before, http.url)
  await before.app.close()
  const redis = connect({ url: redisUrl(), onError: (error) => t.comment(error.message) })
  t.teardown(() => close(redis))
  await redis.connect()
  const { feedMaxLength, receiptTtlSeconds, leaseMs } = before.app.registry
  const options = {
    prefix: before.prefix,
    partitions: 1,
    feedMaxLength,
    receiptTtlSeconds,
    leaseMs,
  }
  const registry = await openRegistry({ redis, ...options })
  const { id } = await revoke(registry, { selector: { all: true } })
  const after = await before.another()
  await http.at(1)
  t.same(await txns(after, http.pushed), [id])
})

t.test('two instances deliver each event once', async (t) => {
  const self = await auth(t, { PARTITIONS: '4' })
  const other = await self.another()
  const http = await httpReceiver(t)
  const { id } = await receiver(self, http.url)
  const orders = Array.from({ length: 40 }, (_, index) =>
    revoked(index % 2 === 0 ? self : other, { identity: `shop-${index}` }),
  )
  const ids = await Promise.all(orders)
  ids.push(await revoked(other, { all: true }))
  await progress([self, other], id, ({ delivered }) => delivered >= ids.length)
  t.same(await txns(self, http.pushed), ids.sort())
})

t.test('another instance continues when one closes or dies', async (t) => {
  const self = await auth(t, quick)
  const http = await httpReceiver(t)
  const { id } = await receiver(self, http.url)
  await revoked(self, { identity: 'admin', subject: 'ann' })
  await progress(self, id, ({ delivered }) => delivered === 1)
  const other = await self.another()
  await self.app.close()
  await revoked(other, { identity: 'admin', subject: 'bob' })
  await http.at(2)
  await progress(other, id, ({ delivered }) => delivered === 2)

  // The hold of a process that has died runs out.
  const { redis, keys } = other.app.registry
  await redis.set(keys.eventPusher(id), 'a-process-that-died', 'PX', 300)
  await revoked(other, { identity: 'admin', subject: 'eve' })
  await http.at(3)
  t.equal(await redis.exists(keys.eventPusher(id)), 1)
})

t.test('a receiver is told when events were trimmed from the feed', async (t) => {
  const self = await auth(t, { FEED_MAX_LENGTH: '1' })
  const http = await httpReceiver(t)
  const { id } = await receiver(self, http.url)
  const { redis, keys } = self.app.registry
  for (const subject of ['ann', 'bob']) {
    await revoked(self, { identity: 'admin', subject })
  }
  await progress(self, id, ({ delivered }) => delivered === 2)
  // As after a long time without an instance: the events after the cursor are trimmed.
  await redis.hset(keys.eventProgress(id), 'cursor', '0-0')
  await revoked(self, { identity: 'admin', subject: 'joe' })
  await progress(self, id, ({ delivered, lost }) => lost === 1 && delivered >= 3)
  const got = await Promise.all(
    http.pushed.map(async ({ body }) => (await verified(self, body)).payload),
  )
  const notice = got.find(({ txn }) => txn === undefined)
  t.match(notice?.['events'], { [streamUpdatedEvent]: { reason: /check every session/ } })
  t.match(self.logs(), /security events are lost/)
  t.match((await self.app.inject('/metrics')).body, 'portcullis_auth_security_events_lost_total 1')
  const next = await revoked(self, { identity: 'admin', subject: 'eve' })
  let count = http.pushed.length
  while (!(await txns(self, http.pushed.slice(0, count))).includes(next)) {
    count += 1
    await http.at(count)
  }
  await progress(self, id, ({ pending }) => pending === 0)
  t.equal((await progress(self, id)).lost, 1, 'later events are delivered without another loss')
})

t.test('a partition that does not answer does not delay the others', async (t) => {
  const self = await auth(t, { PARTITIONS: '2' })
  const http = await httpReceiver(t)
  await receiver(self, http.url)
  const { redis, keys } = self.app.registry
  // Reads of this feed now fail.
  await redis.set(keys.feed(1), 'broken')
  const identity = ['a', 'b', 'c', 'd'].find((name) => partitionOf(name, 2) === 0) ?? ''
  const { id } = await revoke(self.app.registry, { selector: { identity } })
  await http.at(1)
  t.same(await txns(self, http.pushed), [id])
})

t.test('neither revocations nor closing wait for a receiver', async (t) => {
  const self = await auth(t)
  const hanging = await httpReceiver(t, () => 'hang')
  await receiver(self, hanging.url)
  await revoked(self, { identity: 'admin', subject: 'ann' })
  await hanging.at(1)
  const admin = await self.token()
  const done = await self.api(admin, 'POST', '/v1/revocations', { all: true, wait: 60_000 })
  t.match(done.json(), { complete: true })
  const began = performance.now()
  await self.app.close()
  const tookMs = performance.now() - began
  t.ok(tookMs < 5000, `closed after ${tookMs} ms, before the receiver's timeout of 10 s`)
})
