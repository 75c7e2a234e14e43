import t from 'tap'
import { partitionOf } from '../../../src/registry/ids.js'
import { feedEnd, type Registry, readFeed, revoke } from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

/** Reads the feed; throws when it is lost. */
async function read(registry: Registry, cursor: string, limit = 100) {
  const found = await readFeed(registry, cursor, limit)
  if (found === 'lost') {
    throw new Error(`lost at ${cursor}`)
  }
  return found
}

const shop = { identity: 'shop' }

for (const partitions of [1, 16]) {
  t.test(
    `returns every event once, in order, with pages of any size; P=${partitions}`,
    async (t) => {
      const { registry } = await open(t, { partitions })
      const start = await feedEnd(registry)
      t.equal(start, Array(partitions).fill('0-0').join(','))
      const ids: string[] = []
      for (let i = 0; i < 20; i += 1) {
        ids.push((await revoke(registry, { selector: { identity: `svc${i}` } })).id)
      }
      const whole = await read(registry, start)
      t.same(
        whole.revocations.map(({ id }) => id),
        ids,
        'in the order of the commits',
      )
      t.equal(whole.cursor, await feedEnd(registry))
      t.same(await read(registry, whole.cursor), { cursor: whole.cursor, revocations: [] })

      const paged: string[] = []
      let cursor = start
      for (;;) {
        const page = await read(registry, cursor, 1)
        if (page.revocations.length === 0) {
          break
        }
        paged.push(...page.revocations.map(({ id }) => id))
        cursor = page.cursor
      }
      t.same(paged.sort(), ids.sort(), 'pages of one event return the same')
      t.equal(cursor, whole.cursor)
    },
  )
}

t.test('an event has the data of the commit', async (t) => {
  const { registry } = await open(t)
  const { id, at, cutoffUs, selector } = await revoke(registry, {
    selector: { identity: 'shop', subject: 'anna "☃"' },
    reason: 'not for the feed',
  })
  const { revocations, cursor } = await read(registry, '0-0')
  t.same(revocations, [{ id, at, cutoffUs, selector }])
  t.equal(cursor, `1-${cutoffUs}`, 'sequence, then the microsecond of the commit')
})

t.test('{all: true} is one event in each partition, under one id', async (t) => {
  const { registry } = await open(t, { partitions: 4 })
  const { id } = await revoke(registry, { selector: { all: true } })
  const { revocations } = await read(registry, '0-0,0-0,0-0,0-0')
  t.same(
    revocations.map((event) => event.id),
    [id, id, id, id],
  )
})

t.test('a malformed cursor is lost', async (t) => {
  const { registry } = await open(t)
  await revoke(registry, { selector: shop })
  const end = await feedEnd(registry)
  const cursors = ['', 'x', '0', '-', '0-0,0-0', `${end},${end}`, ` ${end}`, `${end}x`, '1-1-1']
  for (const cursor of [...cursors, '01-1', '99999999999999999999-1', '1-99999999999999999']) {
    t.equal(await readFeed(registry, cursor, 10), 'lost', JSON.stringify(cursor))
  }
})

t.test('a trimmed feed can be resumed while no event after the cursor was trimmed', async (t) => {
  const { registry } = await open(t, { feedMaxLength: 3 })
  const cursors = ['0-0']
  for (let i = 0; i < 6; i += 1) {
    await revoke(registry, { selector: shop })
    cursors.push(await feedEnd(registry))
  }
  // Events 4, 5 and 6 are left; 4 names 3.
  const outcomes = await Promise.all(
    cursors.map(async (cursor) => {
      const found = await readFeed(registry, cursor, 10)
      return found === 'lost' ? 'lost' : found.revocations.length
    }),
  )
  t.same(outcomes, ['lost', 'lost', 'lost', 3, 2, 1, 0])
})

t.test('accepts the event after a trimmed one only if it names that one', async (t) => {
  const { registry } = await open(t, { feedMaxLength: 2 })
  for (let i = 0; i < 3; i += 1) {
    await revoke(registry, { selector: shop })
  }
  const third = await feedEnd(registry)
  for (let i = 0; i < 2; i += 1) {
    await revoke(registry, { selector: shop })
  }
  t.not(await readFeed(registry, third, 10), 'lost', 'event 4 names event 3')
  const [sequence, us] = third.split('-')
  const impostor = `${sequence}-${Number(us) + 1}`
  t.equal(await readFeed(registry, impostor, 10), 'lost', 'another event 3')
})

t.test('a feed that went backwards is lost, before and after it has grown again', async (t) => {
  const { registry, redis } = await open(t)
  const key = registry.keys.feed(0)
  for (let i = 0; i < 3; i += 1) {
    await revoke(registry, { selector: shop })
  }
  const backup = await redis.dumpBuffer(key)
  for (let i = 0; i < 2; i += 1) {
    await revoke(registry, { selector: shop })
  }
  const cursor = await feedEnd(registry)
  await redis.restore(key, 0, backup ?? '', 'REPLACE')
  t.equal(await readFeed(registry, cursor, 10), 'lost', 'the cursor is ahead')
  for (let i = 0; i < 4; i += 1) {
    await revoke(registry, { selector: shop })
    t.equal(await readFeed(registry, cursor, 10), 'lost', `${i + 1} other new events`)
  }
  await redis.del(key)
  t.equal(await readFeed(registry, cursor, 10), 'lost', 'the feed is gone')
  t.not(await readFeed(registry, '0-0', 10), 'lost', 'a reader at the start has missed nothing')
})

t.test('a missing event in the middle is lost', async (t) => {
  const { registry, redis } = await open(t)
  for (let i = 0; i < 3; i += 1) {
    await revoke(registry, { selector: shop })
  }
  const entries = await redis.xrange(registry.keys.feed(0), '-', '+')
  await redis.xdel(registry.keys.feed(0), entries[1]?.[0] ?? '')
  t.equal(await readFeed(registry, '0-0', 10), 'lost')
})

t.test('a cursor that is lost in one partition is lost', async (t) => {
  const { registry, redis } = await open(t, { partitions: 4 })
  for (let i = 0; i < 12; i += 1) {
    await revoke(registry, { selector: { identity: `svc${i}` } })
  }
  const cursor = await feedEnd(registry)
  t.not(await readFeed(registry, cursor, 10), 'lost')
  await redis.del(registry.keys.feed(partitionOf('svc0', 4)))
  t.equal(await readFeed(registry, cursor, 10), 'lost')
})
