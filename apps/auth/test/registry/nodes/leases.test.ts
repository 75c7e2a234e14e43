import { close, connect } from '@portcullis/redis'
import t from 'tap'
import {
  ackRevocations,
  feedEnd,
  fenceNode,
  forgetNode,
  getReceipt,
  joinNode,
  type Lease,
  leaseTimes,
  leaveNode,
  listNodes,
  openRegistry,
  type Registry,
  readLeases,
  renewLease,
  revoke,
  settleFenced,
} from '../../../src/registry/index.js'
import { replicatedRedis, serverProgram } from '../../fixtures/replicated-redis.js'
import { open } from '../fixtures/open.js'

const one = { node: 'realtime-8000', instance: 'instance-one', identity: 'nodes' }
const shop = { identity: 'shop' }

t.test('a node that does not renew is fenced, which completes pending receipts', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry } = await open(t, { partitions })
    await renewLease(registry, { ...one, ...(await joinNode(registry, one)) })
    const { id } = await revoke(registry, { selector: { all: true } })
    t.match(await getReceipt(registry, id), { complete: false, nodes: [{ state: 'pending' }] })
    await fenceEverywhere(registry)
    const receipt = await getReceipt(registry, id)
    t.match(receipt, { complete: true, nodes: [{ node: one.node, state: 'fenced' }] })
    t.ok((receipt.nodes[0]?.ms ?? -1) >= 0, 'the receipt has the time of the fence')
    t.match(await listNodes(registry), [{ ...one, fenced: true, pending: 0 }])

    const next = await revoke(registry, { selector: shop })
    t.match(
      await getReceipt(registry, next.id),
      { complete: true, nodes: [{ state: 'fenced', ms: 0 }] },
      'a revocation during the fence names the node, and does not wait',
    )
  }
})

t.test('an earlier renewal prevents the fence', async (t) => {
  const { registry } = await open(t)
  const joined = await joinNode(registry, one)
  const [seen] = (await readLeases(registry)).leases
  t.ok(seen)
  if (seen === undefined) {
    return
  }
  await renewLease(registry, { ...one, ...joined })
  t.equal(await fenceNode(registry, seen), undefined)
  t.match(await listNodes(registry), [{ fenced: false }])
})

t.test('a renewal of a fenced node returns the events to apply before it delivers', async (t) => {
  const { registry } = await open(t)
  const joined = { ...one, ...(await joinNode(registry, one)) }
  const { ttlMs } = leaseTimes(10_000)
  t.match(await renewLease(registry, joined), { counted: true, cursor: joined.cursor, ttlMs })
  await fenceEverywhere(registry)
  await revoke(registry, { selector: shop })
  const cursor = await feedEnd(registry)
  t.match(await renewLease(registry, joined), { counted: true, cursor, ttlMs })
  const { id } = await revoke(registry, { selector: shop })
  t.match(
    await getReceipt(registry, id),
    { nodes: [{ state: 'pending' }] },
    'revocations wait for it again',
  )
})

t.test('a later ack of a fenced node is counted, and the part stays fenced', async (t) => {
  const { registry } = await open(t)
  await joinNode(registry, one)
  const { id } = await revoke(registry, { selector: shop })
  await fenceEverywhere(registry)
  await ackRevocations(registry, one, [{ id, connectionsClosed: 3 }], await feedEnd(registry))
  t.match(await getReceipt(registry, id), { nodes: [{ state: 'fenced', connectionsClosed: 3 }] })
})

t.test(
  'revocations wait for a replaced process until it is fenced, then it is forgotten',
  async (t) => {
    const { registry } = await open(t)
    const joined = await joinNode(registry, one)
    await joinNode(registry, { ...one, instance: 'instance-two' })
    await t.rejects(renewLease(registry, { ...one, ...joined }), { code: 'node_replaced' })
    const { id } = await revoke(registry, { selector: shop })
    t.match(await getReceipt(registry, id), { nodes: { length: 2 } })
    const leases = (await readLeases(registry)).leases
    const old = leases.find(({ current }) => !current)
    t.match(old, { node: one.node, instance: one.instance })
    if (old === undefined) {
      return
    }
    const fencedUs = await fenceNode(registry, old)
    if (fencedUs === undefined) {
      return t.fail('not fenced')
    }
    t.equal(await fenceNode(registry, old), undefined, 'a second fence changes nothing')
    await settleFenced(registry, { ...old, fencedUs })
    await forgetNode(registry, { ...old, fencedUs })
    t.match((await readLeases(registry)).leases, [{ instance: 'instance-two', current: true }])
    t.match(await listNodes(registry), [{ instance: 'instance-two' }])
    return undefined
  },
)

t.test('an unknown node must send hello', async (t) => {
  const { registry, redis } = await open(t)
  const never = { ...one, since: Date.now() * 1000 }
  await t.rejects(renewLease(registry, never), { code: 'node_not_joined' })
  const joined = await joinNode(registry, one)
  await redis.del(registry.keys.leases(0))
  await t.rejects(renewLease(registry, { ...one, ...joined }), { code: 'node_not_joined' })
})

t.test('older data that names an older process makes the newer one join again', async (t) => {
  const { registry, redis } = await open(t)
  const restarted = { ...one, instance: 'instance-two' }
  await joinNode(registry, one)
  const backup = await redis.hgetall(registry.keys.nodes(0))
  const joined = await joinNode(registry, restarted)
  await redis.hset(registry.keys.nodes(0), backup)
  await t.rejects(renewLease(registry, { ...restarted, ...joined }), { code: 'node_not_joined' })
  const again = await joinNode(registry, { ...restarted, since: joined.since })
  await renewLease(registry, { ...restarted, ...again })
  t.match(await listNodes(registry), [restarted])
})

t.test('with another Redis receipts wait for (unknown) until a lease has run out', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry, redis } = await open(t, { partitions })
    const before = await revoke(registry, { selector: { all: true } })
    t.match(
      await getReceipt(registry, before.id),
      { complete: true, nodes: [] },
      'a new registry has none',
    )
    // As after a restart, or a promotion.
    for (const { partition } of parts(partitions)) {
      await redis.set(registry.keys.roster(partition), 'another-run')
    }
    const { id } = await revoke(registry, { selector: { all: true } })
    t.match(await getReceipt(registry, id), {
      complete: false,
      nodes: [{ node: '(unknown)', state: 'pending' }],
    })
    await fenceEverywhere(registry)
    t.match(await getReceipt(registry, id), { complete: true, nodes: [{ state: 'fenced' }] })
    t.same((await readLeases(registry)).leases, [], '(unknown) is forgotten')
    const after = await revoke(registry, { selector: { all: true } })
    t.match(await getReceipt(registry, after.id), { complete: true, nodes: { length: 0 } })
  }
})

t.test('reading the leases detects another Redis before a revocation', async (t) => {
  const { registry, redis } = await open(t)
  await redis.del(registry.keys.roster(0))
  t.match((await readLeases(registry)).leases, [{ node: '(unknown)', current: false }])
  t.equal((await readLeases(registry)).leases.length, 1, 'once')
})

t.test(
  'the later of two processes keeps the name, in whichever order they join again',
  async (t) => {
    for (const partitions of [1, 4]) {
      const { registry } = await open(t, { partitions })
      const later = { ...one, instance: 'instance-two' }
      const first = await joinNode(registry, one)
      const second = await joinNode(registry, later)
      t.match(second, { isNew: true, replaced: one.instance })
      t.ok(second.since > first.since)
      await t.rejects(joinNode(registry, { ...one, since: first.since }), { code: 'node_replaced' })
      await t.rejects(
        joinNode(registry, one),
        { code: 'node_replaced' },
        'after its reply was lost',
      )
      t.match(await joinNode(registry, { ...later, since: second.since }), { isNew: false })
      await fenceEverywhere(registry)
      await t.rejects(
        joinNode(registry, { ...one, since: first.since }),
        { code: 'node_replaced' },
        'also when it is forgotten and the later one fenced',
      )
      t.match(await listNodes(registry), [{ instance: 'instance-two' }])
      await leaveNode(registry, later)
      const back = { ...one, since: first.since }
      t.match(
        await joinNode(registry, back),
        { isNew: true, since: first.since },
        'after the later one has left',
      )
      await renewLease(registry, back)
      await joinNode(registry, { ...later, since: second.since })
      await t.rejects(renewLease(registry, back), { code: 'node_replaced' })
    }
  },
)

t.test('a name belongs to the identity whose node joined, until it is forgotten', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry } = await open(t, { partitions })
    const stranger = { ...one, instance: 'instance-two', identity: 'stranger' }
    const joined = { ...one, ...(await joinNode(registry, one)) }
    const taken = { code: 'node_name_taken' }
    await t.rejects(joinNode(registry, stranger), taken)
    await t.rejects(joinNode(registry, { ...stranger, since: 9e15 }), taken)
    await renewLease(registry, joined)
    await fenceEverywhere(registry)
    await t.rejects(joinNode(registry, stranger), taken, 'even while the node is fenced')
    t.match(await listNodes(registry), [one])
    await leaveNode(registry, one)
    await joinNode(registry, stranger)
    await t.rejects(joinNode(registry, one), taken)
  }
})

t.test('a fence for one lease never matches a later lease of the process', async (t) => {
  const { registry } = await open(t)
  const joined = await joinNode(registry, one)
  await renewLease(registry, { ...one, ...joined })
  const [seen] = (await readLeases(registry)).leases
  if (seen === undefined) {
    return t.fail('no lease')
  }
  await fenceEverywhere(registry)
  await leaveNode(registry, one)
  const again = { ...one, ...(await joinNode(registry, one)) }
  t.equal(await fenceNode(registry, seen), undefined, 'not after another join')
  await renewLease(registry, again)
  t.equal(await fenceNode(registry, seen), undefined, 'not after as many renewals')
  return t.match(await listNodes(registry), [{ fenced: false }])
})

t.test('a renewal does not count while an earlier revocation waits', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry } = await open(t, { partitions })
    const joined = { ...one, ...(await joinNode(registry, one)) }
    const first = await revoke(registry, { selector: shop })
    const tried = await renewLease(registry, joined)
    t.match(tried, { counted: false, cursor: await feedEnd(registry) })
    t.match(await renewLease(registry, joined, tried.askedAt), { counted: false })
    await revoke(registry, { selector: shop })
    await ackRevocations(registry, one, [], tried.cursor)
    t.match(await getReceipt(registry, first.id), { complete: true })
    t.match(await renewLease(registry, joined), { counted: false }, 'another revocation waits')
    t.match(
      await renewLease(registry, joined, tried.askedAt),
      { counted: true },
      'a revocation committed after the renewal was asked for may wait',
    )
    const elsewhere = tried.askedAt.map((asked) => ({ ...asked, run: 'another-redis' }))
    t.match(
      await renewLease(registry, joined, elsewhere),
      { counted: false },
      'the end of the feed of another Redis does not count',
    )
  }
})

t.test('a node that does not acknowledge a revocation is fenced, even if it renews', async (t) => {
  const { registry } = await open(t)
  const joined = { ...one, ...(await joinNode(registry, one)) }
  const { askedAt } = await renewLease(registry, joined)
  const { id } = await revoke(registry, { selector: shop })
  const { leases, ends } = await readLeases(registry)
  const [seen, [end]] = [leases[0], ends]
  if (seen === undefined || end === undefined) {
    return t.fail('no lease')
  }
  t.equal(seen.waitingUs, end.us)
  // A renewal that was asked for before the commit, and arrives late.
  t.match(await renewLease(registry, joined, askedAt), { counted: true })
  t.equal(await fenceNode(registry, seen), undefined)
  t.equal(await fenceNode(registry, seen, end.us - 1), undefined, 'no older revocation waits')
  t.equal(await fenceNode(registry, { ...seen, run: 'another-redis' }, end.us), undefined)
  const fencedUs = await fenceNode(registry, seen, end.us)
  if (fencedUs === undefined) {
    return t.fail('not fenced')
  }
  await settleFenced(registry, { ...seen, fencedUs })
  t.match(await getReceipt(registry, id), { complete: true, nodes: [{ state: 'fenced' }] })

  await renewLease(registry, joined)
  const next = await revoke(registry, { selector: shop })
  const [again] = (await readLeases(registry)).leases
  await ackRevocations(registry, one, [], await feedEnd(registry))
  t.match(await getReceipt(registry, next.id), { nodes: [{ state: 'acked' }] })
  if (again === undefined) {
    return t.fail('no lease')
  }
  return t.equal(
    await fenceNode(registry, again, again.waitingUs),
    undefined,
    'the node has acknowledged',
  )
})

const program = serverProgram()

t.test(
  'a primary that is promoted again counts as another Redis, restarted or not',
  { skip: program === undefined ? 'no redis-server is installed' : false },
  async (t) => {
    const { url, replicaUrl, inSync } = await replicatedRedis(t, program ?? '')
    const [a, b] = [url, replicaUrl].map((url) => connect({ url, onError: () => undefined }))
    if (a === undefined || b === undefined) {
      return
    }
    t.teardown(() => Promise.all([close(a), close(b)]))
    await Promise.all([a.connect(), b.connect()])
    const [host = '', port = ''] = new URL(replicaUrl).host.split(':')
    const registry = await openRegistry({
      redis: a,
      prefix: 'failback',
      partitions: 1,
      feedMaxLength: 10,
      receiptTtlSeconds: 600,
      leaseMs: 10_000,
    })
    const joined = { ...one, ...(await joinNode(registry, one)) }
    await fenceEverywhere(registry)
    await inSync()
    await b.replicaof('NO', 'ONE')
    await renewLease(registry, joined)
    t.match(
      await listNodes(registry),
      [{ fenced: false }],
      'a renewal that the replica does not get',
    )
    await a.replicaof(host, port)
    while (!(await a.info('replication')).includes('master_link_status:up')) {}
    await a.replicaof('NO', 'ONE')
    t.match(await listNodes(registry), [{ fenced: true }], 'the renewal is lost')
    const { id } = await revoke(registry, { selector: shop })
    t.match(await getReceipt(registry, id), {
      complete: false,
      nodes: [{ node: '(unknown)', state: 'pending' }, { state: 'fenced' }],
    })
  },
)

function parts(partitions: number) {
  return Array.from({ length: partitions }, (_, partition) => ({ partition }))
}

/** Fences every process, like an instance that has watched for long enough. */
async function fenceEverywhere(registry: Registry): Promise<void> {
  for (const lease of (await readLeases(registry)).leases) {
    await fence(registry, lease)
  }
}

async function fence(registry: Registry, lease: Lease): Promise<void> {
  const fencedUs = await fenceNode(registry, lease)
  if (fencedUs === undefined) {
    throw new Error('the process has renewed')
  }
  await settleFenced(registry, { ...lease, fencedUs })
  if (!lease.current) {
    await forgetNode(registry, { ...lease, fencedUs })
  }
}

t.test('a bye that is recorded in part leaves no receipt pending', async (t) => {
  const { registry } = await open(t)
  await joinNode(registry, one)
  const { id } = await revoke(registry, { selector: shop })
  const failing = new Proxy(registry.redis, {
    get(redis, name) {
      if (name === 'zrangebylex') {
        return () => Promise.reject(new Error('this process has ended'))
      }
      const value = Reflect.get(redis, name)
      return typeof value === 'function' ? value.bind(redis) : value
    },
  })
  await t.rejects(leaveNode({ ...registry, redis: failing }, one), { code: 'registry_unavailable' })
  t.match(await getReceipt(registry, id), { complete: false })
  const [lease] = (await readLeases(registry)).leases
  t.match(
    lease,
    { node: one.node, instance: one.instance, fencedUs: Number, current: false },
    'every fencer sees the unsettled fence',
  )
  if (lease?.fencedUs === undefined) {
    return
  }
  await settleFenced(registry, { ...lease, fencedUs: lease.fencedUs })
  t.match(await getReceipt(registry, id), { complete: true, nodes: [{ state: 'fenced' }] })
  await leaveNode(registry, one)
  t.same((await readLeases(registry)).leases, [])
})
