import type { NodeReceipt } from '@portcullis/contracts/revocations'
import t from 'tap'
import {
  ackRevocations,
  feedEnd,
  getReceipt,
  joinNode,
  leaveNode,
  listNodes,
  listReceipts,
  type Registry,
  registerIdentity,
  revoke,
  setConnected,
} from '../../../src/registry/index.js'
import { open, token } from '../fixtures/open.js'

const shop = { identity: 'shop' }
const one = { node: 'realtime-8000', instance: 'instance-one', identity: 'nodes' }
const two = { node: 'realtime:8001', instance: 'instance-two', identity: 'nodes' }

/** Returns each node of a receipt as `node state closed`. */
async function states(registry: Registry, id: string) {
  const { nodes } = await getReceipt(registry, id)
  return nodes.map(
    ({ node, state, connectionsClosed }: NodeReceipt) => `${node} ${state} ${connectionsClosed}`,
  )
}

t.test('without nodes a receipt is complete at once', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  await token(registry, 'shop')
  const { id, at, selector } = await revoke(registry, { selector: shop, reason: 'why' })
  const receipt = {
    id,
    at,
    tokens: 1,
    complete: true,
    nodes: [],
    auths: [],
    selector,
    reason: 'why',
  }
  t.same(await getReceipt(registry, id), receipt)
  for (const unknown of [`0-${'A'.repeat(22)}`, `all-${'A'.repeat(22)}`, 'x', '', '7-x']) {
    await t.rejects(getReceipt(registry, unknown), { code: 'revocation_not_found' })
  }
})

for (const partitions of [1, 16]) {
  t.test(
    `completes when every node has acked, through any instance; P=${partitions}`,
    async (t) => {
      const { registry, another } = await open(t, { partitions })
      const other = await another()
      await joinNode(registry, one)
      await joinNode(other, two)
      const { id } = await revoke(registry, { selector: shop })
      t.match(await getReceipt(other, id), { complete: false })
      t.same(await states(registry, id), ['realtime-8000 pending 0', 'realtime:8001 pending 0'])

      const cursor = await feedEnd(registry)
      await ackRevocations(registry, one, [{ id, connectionsClosed: 3 }], cursor)
      t.match(await getReceipt(other, id), { complete: false })
      t.same(await states(other, id), ['realtime-8000 acked 3', 'realtime:8001 pending 0'])
      t.same(
        (await listNodes(registry)).map(({ pending }) => pending),
        [0, 1],
      )

      await ackRevocations(other, two, [{ id, connectionsClosed: 0 }], cursor)
      const receipt = await getReceipt(registry, id)
      t.equal(receipt.complete, true)
      for (const { ms } of receipt.nodes) {
        t.ok(ms !== undefined && ms > 0 && ms < 60_000, `${ms} ms`)
      }

      await ackRevocations(other, one, [{ id, connectionsClosed: 9 }], cursor)
      t.same(await getReceipt(registry, id), receipt, 'a repeated ack changes nothing')
    },
  )

  t.test(`{all: true} completes when every partition is acked; P=${partitions}`, async (t) => {
    const { registry } = await open(t, { partitions })
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const identity of names) {
      await registerIdentity(registry, { identity, scopes: [] })
      await token(registry, identity)
    }
    await joinNode(registry, one)
    const start = await feedEnd(registry)
    const { id, tokens } = await revoke(registry, { selector: { all: true } })
    t.equal(tokens, names.length)
    const end = (await feedEnd(registry)).split(',')
    // The node applies the partitions in turn, and closes two connections for each.
    const applied = start.split(',')
    for (const [partition, last] of end.entries()) {
      t.equal((await getReceipt(registry, id)).complete, false, `${partition} of ${partitions}`)
      applied[partition] = last
      for (const _again of [1, 2]) {
        await ackRevocations(registry, one, [{ id, connectionsClosed: 2 }], applied.join(','))
      }
    }
    t.match(await getReceipt(registry, id), { complete: true, tokens: names.length })
    t.same(await states(registry, id), [`realtime-8000 acked ${2 * partitions}`])
  })
}

t.test('{all: true} that is missing in one partition never completes', async (t) => {
  const { registry, redis } = await open(t, { partitions: 4 })
  const { id } = await revoke(registry, { selector: { all: true } })
  t.equal((await getReceipt(registry, id)).complete, true, 'no node has to ack')
  await redis.del(registry.keys.receipt(2, id))
  t.equal((await getReceipt(registry, id)).complete, false)
})

t.test('an ack settles every part before its cursor, and no later part', async (t) => {
  const { registry } = await open(t)
  await joinNode(registry, one)
  const first = await revoke(registry, { selector: shop })
  const second = await revoke(registry, { selector: shop })
  const cursor = await feedEnd(registry)
  const third = await revoke(registry, { selector: shop })
  await ackRevocations(registry, one, [{ id: second.id, connectionsClosed: 4 }], cursor)
  t.same(await states(registry, first.id), ['realtime-8000 acked 0'])
  t.same(await states(registry, second.id), ['realtime-8000 acked 4'])
  t.same(await states(registry, third.id), ['realtime-8000 pending 0'])
  const behind = [{ id: third.id, connectionsClosed: 1 }]
  await ackRevocations(registry, one, behind, '0-0')
  t.same(await states(registry, third.id), ['realtime-8000 pending 1'], 'named, but not applied')
  for (const bad of ['', 'x', '0-0,0-0']) {
    await t.rejects(ackRevocations(registry, one, [], bad), { code: 'bad_cursor' })
  }
})

t.test('an ack from before the feed went backwards settles no later part', async (t) => {
  const { registry, redis } = await open(t)
  await joinNode(registry, one)
  await revoke(registry, { selector: shop })
  await revoke(registry, { selector: shop })
  const stale = await feedEnd(registry)
  await redis.del(registry.keys.feed(0))
  const { id } = await revoke(registry, { selector: shop })
  await ackRevocations(registry, one, [], stale)
  t.same(await states(registry, id), ['realtime-8000 pending 0'])
})

t.test('revocations wait for a node exactly from the cursor that joining returned', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry } = await open(t, { partitions })
    const before = await revoke(registry, { selector: shop })
    const { cursor, replaced } = await joinNode(registry, one)
    t.equal(cursor, await feedEnd(registry))
    t.equal(replaced, undefined)
    const after = await revoke(registry, { selector: shop })
    t.same(await states(registry, before.id), [])
    t.same(await states(registry, after.id), ['realtime-8000 pending 0'])
  }
})

t.test(
  'revocations do not wait for a node after its bye, but for one that only disconnected',
  async (t) => {
    const { registry } = await open(t, { partitions: 4 })
    await joinNode(registry, one)
    await joinNode(registry, two)
    const { id } = await revoke(registry, { selector: { all: true } })
    await leaveNode(registry, one)
    t.same(await states(registry, id), ['realtime-8000 acked 0', 'realtime:8001 pending 0'])
    t.same(
      (await listNodes(registry)).map(({ node }) => node),
      ['realtime:8001'],
    )
    const next = await revoke(registry, { selector: shop })
    t.same(await states(registry, next.id), ['realtime:8001 pending 0'])
  },
)

t.test(
  'the new process does not owe acks of a replaced one, which revocations still wait for',
  async (t) => {
    const { registry } = await open(t)
    const restarted = { ...one, instance: 'instance-new' }
    await joinNode(registry, one)
    const { id } = await revoke(registry, { selector: shop })
    t.equal((await joinNode(registry, restarted)).replaced, one.instance)
    const next = await revoke(registry, { selector: shop })
    await ackRevocations(registry, restarted, [], await feedEnd(registry))
    t.same(await states(registry, id), ['realtime-8000 pending 0'], 'the old process has not acked')
    t.same(
      await states(registry, next.id),
      ['realtime-8000 pending 0', 'realtime-8000 acked 0'],
      'it may still hold connections',
    )

    await ackRevocations(registry, one, [], await feedEnd(registry))
    t.same(await states(registry, id), ['realtime-8000 acked 0'], 'its ack is recorded')
    await leaveNode(registry, one)
    t.equal((await listNodes(registry)).length, 1, 'its bye does not remove the new process')
  },
)

t.test('the list of nodes shows which are connected', async (t) => {
  const { registry } = await open(t)
  await joinNode(registry, { ...one, url: 'http://10.0.0.1:8000' })
  const [first] = await listNodes(registry)
  t.match(first, { ...one, url: 'http://10.0.0.1:8000', connected: false, pending: 0 })
  t.ok(Math.abs((first?.since ?? 0) - Date.now()) < 60_000)
  const connected = async () => (await listNodes(registry))[0]?.connected
  await setConnected(registry, { ...one, connection: 'c1' }, true)
  t.equal(await connected(), true)
  await setConnected(registry, { ...one, connection: 'c2' }, true)
  await setConnected(registry, { ...one, connection: 'c1' }, false)
  t.equal(await connected(), true, 'a late close of the first connection does not hide the second')
  await setConnected(registry, { ...one, connection: 'c2' }, false)
  t.equal(await connected(), false)
  await joinNode(registry, one)
  t.equal((await listNodes(registry))[0]?.since, first?.since, 'joining again keeps the start')
})

t.test('lists receipts newest first, each once', async (t) => {
  for (const partitions of [1, 16]) {
    const { registry } = await open(t, { partitions })
    const ids: string[] = []
    for (let i = 0; i < 12; i += 1) {
      ids.unshift((await revoke(registry, { selector: { identity: `svc${i}` } })).id)
    }
    ids.unshift((await revoke(registry, { selector: { all: true } })).id)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listReceipts(registry, { limit: 5, ...(cursor ? { cursor } : {}) })
      seen.push(...page.revocations.map(({ id }) => id))
      if (cursor === undefined) {
        await revoke(registry, { selector: shop })
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    t.same(seen, ids)
    await t.rejects(listReceipts(registry, { limit: 5, cursor: '1' }), { code: 'bad_cursor' })
  }
})

t.test('removes receipts and pending parts after their time', async (t) => {
  const { registry, redis } = await open(t, { receiptTtlSeconds: 100 })
  const { keys } = registry
  await joinNode(registry, one)
  const { id } = await revoke(registry, { selector: shop })
  const ttl = await redis.pttl(keys.receipt(0, id))
  t.ok(ttl > 90_000 && ttl <= 100_000, 'the receipt expires')
  // Makes the receipt old.
  const long = (Date.now() - 101_000) * 1000
  const [part = ''] = await redis.zrange(keys.pending(0), 0, '-1')
  await redis.zadd(keys.receipts(0), long, id)
  await redis.zadd(keys.pendingTimes(0), long, part)
  await redis.del(keys.receipt(0, id))
  const next = await revoke(registry, { selector: shop })
  t.same(await redis.zrange(keys.receipts(0), 0, '-1'), [next.id])
  t.equal(await redis.zcard(keys.pending(0)), 1)
  t.equal(await redis.zcard(keys.pendingTimes(0)), 1)
})
