import t, { type Test } from 'tap'
import { Fencer } from '../../src/feed/fencer.js'
import type { Lease } from '../../src/registry/index.js'

/** A lease on the fake registry's Redis, unless `run` names another. */
type FakeLease = Omit<Lease, 'run'> & { run?: string }

/** A registry whose leases the test sets. */
function registry(leases: FakeLease[]) {
  const state = {
    run: 'run-1',
    leases,
    /** Where the feeds end. */
    endUs: 0,
    fenced: [] as string[],
    overdue: [] as (number | undefined)[],
    settled: [] as number[],
    forgotten: [] as string[],
    polls: 0,
    fails: false,
    missing: [] as number[],
    polled: () => {},
  }
  return Object.assign(state, {
    readLeases: async () => {
      state.polls += 1
      state.polled()
      if (state.fails) {
        throw new Error('away')
      }
      return {
        leases: state.leases
          .filter(({ partition }) => !state.missing.includes(partition))
          .map((lease) => ({ run: state.run, ...lease })),
        ends: [0, 1]
          .filter((partition) => !state.missing.includes(partition))
          .map((partition) => ({ partition, run: state.run, us: state.endUs })),
        missing: state.missing,
        ...(state.missing.length > 0 ? { error: new Error('away') } : {}),
      }
    },
    fenceNode: async (lease: Lease, overdueUs?: number) => {
      state.fenced.push(lease.node)
      state.overdue.push(overdueUs)
      const found = state.leases.find(({ node }) => node === lease.node)
      if (found === undefined) {
        return undefined
      }
      found.fencedUs = 7
      return 7
    },
    settleFenced: async ({ fencedUs }: Lease & { fencedUs: number }) => {
      state.settled.push(fencedUs)
    },
    forgetNode: async ({ node }: Lease) => {
      state.forgotten.push(node)
      state.leases = state.leases.filter((lease) => lease.node !== node)
    },
    /** Resolves after `count` further polls have begun; all but the last have finished. */
    async morePolls(count: number) {
      const until = state.polls + count
      while (state.polls < until) {
        await new Promise<void>((resolve) => (state.polled = resolve))
      }
    },
  })
}

const lease = (more: Partial<Lease> = {}): FakeLease => ({
  node: 'n',
  instance: 'instance',
  partition: 0,
  renewedUs: 1,
  fenceMs: 60,
  current: true,
  ...more,
})

function fencer(t: Test, fake: ReturnType<typeof registry>) {
  const fenced: string[] = []
  const errors: unknown[] = []
  const one = new Fencer({
    registry: fake,
    pollMs: 5,
    onFenced: ({ node }) => fenced.push(node),
    onError: (error) => errors.push(error),
  })
  t.teardown(() => one.close())
  return { fenced, errors }
}

t.test('fences only a node that has not renewed for the whole time', async (t) => {
  const still = lease({ node: 'still' })
  const renewing = lease({ node: 'renewing' })
  const fake = registry([still, renewing])
  const began = performance.now()
  const { fenced } = fencer(t, fake)
  while (fake.fenced.length === 0) {
    renewing.renewedUs += 1
    await fake.morePolls(1)
  }
  t.ok(performance.now() - began >= 60, 'not before its time')
  for (let more = 0; more < 5; more += 1) {
    renewing.renewedUs += 1
    await fake.morePolls(1)
  }
  t.same(fenced, ['still'])
  t.same(new Set(fake.settled), new Set([7]), 'its receipts are settled')
  t.ok(fake.settled.length <= 2, 'and not at every poll')
  t.same(fake.forgotten, [], 'a process that still has its name may come back')
})

t.test('a process that lost its name is forgotten once it is fenced', async (t) => {
  const fake = registry([lease({ node: 'old', current: false })])
  fencer(t, fake)
  while (fake.forgotten.length === 0) {
    await fake.morePolls(1)
  }
  t.same(fake.settled, [7], 'its receipts are settled first')
})

t.test('finishes a fence that another instance has begun', async (t) => {
  const fake = registry([lease({ fencedUs: 5 })])
  const { fenced } = fencer(t, fake)
  await fake.morePolls(3)
  t.same(fake.settled, [5])
  t.same(fenced, [])
})

t.test('starts to count again when another Redis answers', async (t) => {
  const fake = registry([lease({ fenceMs: 200 })])
  fencer(t, fake)
  // Restarts that come faster than the lease: what was read before does not count.
  const until = performance.now() + 400
  for (let n = 0; performance.now() < until; n += 1) {
    fake.run = `run-${n}`
    await fake.morePolls(1)
  }
  t.same(fake.fenced, [])
})

t.test(
  'a partition that does not answer delays no other, and its leases keep running',
  async (t) => {
    const here = lease({ node: 'here' })
    const away = lease({ node: 'away', partition: 1, fenceMs: 200 })
    const fake = registry([here, away])
    const { errors } = fencer(t, fake)
    await fake.morePolls(2)
    const began = performance.now()
    fake.missing = [1]
    while (fake.fenced.length === 0) {
      await fake.morePolls(1)
    }
    t.same(fake.fenced, ['here'])
    t.ok(errors.length > 0, 'the missing partition is reported')
    while (performance.now() < began + 200) {
      await fake.morePolls(1)
    }
    fake.missing = []
    await fake.morePolls(2)
    t.same(
      fake.fenced,
      ['here', 'away'],
      'the same renewal from the same Redis: the lease kept running',
    )
  },
)

t.test('another Redis in one partition does not restart leases of the others', async (t) => {
  const fake = registry([
    lease({ node: 'same', run: 'run' }),
    lease({ node: 'other', partition: 1 }),
  ])
  fencer(t, fake)
  for (let n = 0; fake.fenced.length === 0; n += 1) {
    fake.run = `run-${n}`
    await fake.morePolls(1)
  }
  t.same(fake.fenced, ['same'])
})

t.test('fences a node that leaves a revocation pending, though it renews', async (t) => {
  const behind = lease({ node: 'behind', waitingUs: 10 })
  const busy = lease({ node: 'busy', waitingUs: 10 })
  const fake = registry([behind, busy])
  const { fenced } = fencer(t, fake)
  await fake.morePolls(2)
  fake.endUs = 10
  const began = performance.now()
  while (fake.fenced.length === 0) {
    behind.renewedUs += 1
    busy.renewedUs += 1
    // This node always has a pending revocation, but none for long.
    fake.endUs += 1
    busy.waitingUs = fake.endUs
    await fake.morePolls(1)
  }
  t.ok(performance.now() - began >= 60, 'not before its time')
  await fake.morePolls(1)
  t.same(fenced, ['behind'])
  t.ok(
    (fake.overdue[0] ?? 0) >= 10 && (fake.overdue[0] ?? 0) < fake.endUs,
    'by a commit that the fencer has read',
  )
})

t.test('commits that another Redis has shown do not count', async (t) => {
  const behind = lease({ waitingUs: 10, fenceMs: 200 })
  const fake = registry([behind])
  fake.endUs = 10
  fencer(t, fake)
  const until = performance.now() + 400
  for (let n = 0; performance.now() < until; n += 1) {
    fake.run = `run-${n}`
    behind.renewedUs += 1
    await fake.morePolls(1)
  }
  t.same(fake.fenced, [])
})

t.test('the time of a lease starts with the answer that showed it', async (t) => {
  const slow = lease({ fenceMs: 60 })
  const fake = registry([slow])
  const { readLeases } = fake
  let answered = 0
  fake.readLeases = async () => {
    const read = await readLeases()
    if (fake.polls === 1) {
      // The answer takes long to arrive.
      while (performance.now() < began + 200) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      answered = performance.now()
    }
    return read
  }
  const began = performance.now()
  fencer(t, fake)
  while (fake.fenced.length === 0) {
    await fake.morePolls(1)
  }
  t.ok(performance.now() - answered >= 60, 'not before its time after the answer')
})

t.test('reports an error, and polls again', async (t) => {
  const fake = registry([lease()])
  fake.fails = true
  const { errors } = fencer(t, fake)
  await fake.morePolls(3)
  t.ok(errors.length >= 2)
  fake.fails = false
  while (fake.fenced.length === 0) {
    await fake.morePolls(1)
  }
})
