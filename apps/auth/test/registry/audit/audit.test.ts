import type { AuditEntry, ListAudit } from '@portcullis/contracts/audit'
import t from 'tap'
import {
  type AuditRecord,
  appendAudit,
  auditPartition,
  awaitAudit,
  exportAudit,
  listAudit,
  openAuditWatch,
  type Registry,
} from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

const kept = { maxLength: 100_000, maxAgeMs: 86_400_000 }
const done: AuditRecord = {
  action: 'identity.change',
  result: 'ok',
  status: 200,
  actor: { identity: 'admin' },
  target: { identity: 'shop' },
  address: '127.0.0.1',
  requestId: '0',
}

function append(registry: Registry, records: Partial<AuditRecord>[], retention = kept) {
  const whole = records.map((record) => ({ ...done, ...record }))
  return Promise.all(
    Array.from({ length: registry.partitions }, (_, partition) => {
      const own = whole.filter((one) => auditPartition(one, registry.partitions) === partition)
      return own.length === 0 ? undefined : appendAudit(registry, retention, partition, own)
    }),
  )
}

/** Returns the request ids of all pages. */
async function* pages(registry: Registry, query: ListAudit) {
  let next = query
  for (;;) {
    const { entries, cursor } = await listAudit(registry, kept, next)
    yield entries.map(({ requestId = '' }) => requestId)
    if (cursor === undefined) {
      return
    }
    next = query.after === undefined ? { ...query, cursor } : { ...query, after: cursor }
  }
}

async function all(registry: Registry, query: ListAudit): Promise<string[]> {
  const found: string[] = []
  for await (const page of pages(registry, query)) {
    found.push(...page)
  }
  return found
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => String(from + n))

t.test(
  'pages, newest first, neither repeat nor skip while entries are added and removed',
  async (t) => {
    for (const partitions of [1, 16]) {
      const { registry, redis } = await open(t, { partitions })
      for (const n of numbers(0, 60)) {
        const target = { identity: `shop-${n}` }
        const result = Number(n) % 3 === 0 ? 'refused' : 'ok'
        const action = Number(n) % 5 === 0 ? 'token.issue' : 'code.add'
        await append(registry, [{ requestId: n, target, result, action }])
      }
      const seen: string[][] = []
      for await (const page of pages(registry, { limit: 7 })) {
        seen.push(page)
        await append(registry, [{ requestId: 'new' }])
        // Removes entries that were listed.
        if (seen.length === 2) {
          await redis.xtrim(registry.keys.audit(0, 'acts'), 'MAXLEN', '=', 100)
        }
      }
      t.same(seen.flat(), numbers(0, 60).reverse(), `${partitions} partitions`)
      t.equal(seen.length, 9)
      t.same((await all(registry, { limit: 7 })).slice(0, 9), Array(9).fill('new'))
    }
  },
)

t.test(
  'lists entries with one microsecond in several partitions once, in both orders',
  async (t) => {
    const { registry, redis } = await open(t, { partitions: 4 })
    await append(registry, [{}])
    const us = (Date.now() + 1000) * 1000
    for (const partition of [0, 1, 2, 3]) {
      for (const [n, kind] of (['acts', 'issues', 'refusals'] as const).entries()) {
        const entry = JSON.stringify({ ...done, requestId: `${partition}.${n}` })
        await redis.xadd(registry.keys.audit(partition, kind), `${us + n}-0`, 'entry', entry)
      }
    }
    for (const partition of [0, 1, 2, 3]) {
      await redis.set(registry.keys.clock(partition), us + 3)
    }
    const order = [0, 1, 2].flatMap((n) => [0, 1, 2, 3].map((partition) => `${partition}.${n}`))
    t.same(await all(registry, { limit: 1 }), [...order.reverse(), '0'])
    const followed: string[] = []
    let after = `${us - 1}.0`
    for (let n = 0; n < 12; n += 1) {
      const page = await listAudit(registry, kept, { after, limit: 1 })
      followed.push(...page.entries.map(({ requestId = '' }) => requestId))
      after = page.cursor ?? ''
    }
    t.same(followed, order.reverse())
  },
)

t.test('following the log skips no entry of a master whose clock is behind', async (t) => {
  const { registry, redis } = await open(t, { partitions: 2 })
  const identityIn = (partition: number) =>
    numbers(0, 99).find(
      (name) => auditPartition({ ...done, target: { identity: name } }, 2) === partition,
    ) ?? ''
  const [here, there] = [identityIn(0), identityIn(1)]
  // The clock of partition 1 is an hour ahead.
  await redis.set(registry.keys.clock(1), (Date.now() + 3_600_000) * 1000)
  await append(registry, [{ requestId: 'ahead', target: { identity: there } }])
  const first = await listAudit(registry, kept, { after: '0.0' })
  t.same(first.entries, [], 'not before the other clock has passed it')
  await append(registry, [{ requestId: 'behind', target: { identity: here } }])
  const second = await listAudit(registry, kept, { after: first.cursor ?? '' })
  t.match(second.entries, [{ requestId: 'behind' }])
  await redis.set(registry.keys.clock(0), (Date.now() + 7_200_000) * 1000)
  const third = await listAudit(registry, kept, { after: second.cursor ?? '' })
  t.match(third.entries, [{ requestId: 'ahead' }])
})

t.test('filters, alone and combined', async (t) => {
  const { registry } = await open(t)
  await append(registry, [
    { requestId: 'a', action: 'identity.suspend' },
    { requestId: 'b', action: 'token.issue', actor: { identity: 'shop' } },
    { requestId: 'c', result: 'refused', actor: { identity: 'shop', claimed: true } },
    { requestId: 'd', result: 'failed', target: { identity: 'bank' } },
  ])
  const [newest] = (await listAudit(registry, kept, {})).entries
  const at = newest?.at ?? 0
  const cases: [ListAudit, string[]][] = [
    [{}, ['d', 'c', 'b', 'a']],
    [{ action: 'identity' }, ['d', 'c', 'a']],
    [{ action: 'identity.suspend' }, ['a']],
    [{ action: 'ident' }, []],
    [{ actor: 'shop' }, ['c', 'b']],
    [{ actor: 'shop', result: 'ok' }, ['b']],
    [{ result: 'refused' }, ['c']],
    [{ result: 'failed' }, ['d']],
    [{ identity: 'bank' }, ['d']],
    [{ from: at + 1 }, []],
    [{ to: at - 1000 }, []],
    [{ from: at - 1000, to: at + 1 }, ['d', 'c', 'b', 'a']],
  ]
  for (const [query, expected] of cases) {
    t.same(await all(registry, query), expected, JSON.stringify(query))
    const forwards = await listAudit(registry, kept, { ...query, after: '0.0' })
    t.same(forwards.entries.map(({ requestId = '' }) => requestId).reverse(), expected)
  }
  await t.rejects(listAudit(registry, kept, { cursor: '01.0' }), { code: 'bad_cursor' })
})

t.test('a page with few matches among many entries ends early, with a cursor', async (t) => {
  const { registry } = await open(t)
  await append(registry, [{ requestId: 'rare', actor: { identity: 'rare' } }])
  const many = Array.from({ length: 500 }, () => ({}))
  for (let n = 0; n < 5; n += 1) {
    await append(registry, many)
  }
  let pages = 0
  let cursor: string | undefined
  const found: AuditEntry[] = []
  do {
    const page = await listAudit(registry, kept, { actor: 'rare', ...(cursor && { cursor }) })
    found.push(...page.entries)
    cursor = page.cursor
    pages += 1
  } while (cursor !== undefined)
  t.match(found, [{ requestId: 'rare' }])
  t.equal(found.length, 1)
  t.equal(pages, 3, 'pages of a thousand entries')
})

t.test('attempts, refusals and issued tokens do not push out another kind', async (t) => {
  const { registry, redis } = await open(t)
  const few = { maxLength: 5, maxAgeMs: 86_400_000 }
  await append(registry, [{ requestId: 'act' }], few)
  const floods: Partial<AuditRecord>[] = [
    { result: 'refused' },
    { result: 'refused', actor: { identity: 'admin', claimed: true } },
    { action: 'token.issue' },
  ]
  for (const flood of floods) {
    await append(
      registry,
      Array.from({ length: 300 }, () => flood),
      few,
    )
  }
  t.equal((await all(registry, {})).at(-1), 'act')
  t.equal((await all(registry, {})).length, 16)
  t.equal((await all(registry, { result: 'refused' })).length, 10)
  t.equal(await redis.xlen(registry.keys.audit(0, 'refusals')), 5)
  await append(
    registry,
    Array.from({ length: 5 }, () => ({})),
    few,
  )
  t.equal((await all(registry, {})).includes('act'), false, 'later acts push out acts')
})

t.test('hides and removes entries that are too old', async (t) => {
  const { registry, redis } = await open(t)
  const key = registry.keys.audit(0, 'refusals')
  const old = (ms: number) => `${(Date.now() - ms) * 1000}-0`
  for (const ms of [90_000_000, 87_000_000, 80_000_000]) {
    await redis.xadd(key, old(ms), 'entry', JSON.stringify({ ...done, requestId: `${ms}` }))
  }
  t.same(await all(registry, {}), ['80000000'])
  t.same((await listAudit(registry, kept, { after: '0.0' })).entries.length, 1)
  t.equal(await redis.xlen(key), 3)
  await append(registry, [{ requestId: 'an act' }])
  t.equal(await redis.xlen(key), 1)
})

t.test('an entry, also of another instance, ends the wait of a follower', async (t) => {
  const opened = await open(t)
  const { registry } = opened
  const other = await opened.another()
  const { listener } = await opened.listener()
  const watch = openAuditWatch(registry, listener)
  const waiting = awaitAudit(registry, kept, watch, { after: '0.0', wait: 60_000 })
  // Without the message the follower would read again after a second.
  const message = new Promise<void>((resolve) => {
    listener.on(registry.keys.auditNews, () => resolve())
  })
  await append(other, [{ requestId: 'a' }])
  await message
  const { entries, cursor = '' } = await waiting
  t.match(entries, [{ requestId: 'a' }])
  t.same(await awaitAudit(registry, kept, watch, { after: cursor, wait: 1 }), {
    entries: [],
    cursor,
  })
  const last = awaitAudit(registry, kept, watch, { after: cursor, wait: 60_000 })
  watch.close()
  t.same((await last).entries, [], 'closing ends the wait')
})

t.test('an export has the entries from before its start, oldest first', async (t) => {
  const { registry } = await open(t, { partitions: 4 })
  const record = (n: string) => ({ requestId: n, target: { identity: n } })
  for (const n of numbers(0, 12)) {
    await append(registry, [record(n)])
  }
  await append(registry, numbers(12, 1100).map(record))
  const batches = await exportAudit(registry, kept, {})
  const lines: AuditEntry[] = []
  let most = 0
  for await (const batch of batches) {
    lines.push(...batch)
    most = Math.max(most, batch.length)
    await append(registry, [{ requestId: 'later' }])
  }
  t.equal(most, 500, 'one batch at a time')
  t.same(
    lines.slice(0, 12).map(({ requestId }) => requestId),
    numbers(0, 12),
  )
  t.same(new Set(lines.map(({ requestId }) => requestId)), new Set(numbers(0, 1100)))
  t.equal(lines.length, 1100)
  const rest = await exportAudit(registry, kept, { after: lines[1098]?.id ?? '' })
  const [first] = (await rest.next()).value ?? []
  t.same(first, lines[1099], 'continues after the last entry')
})
