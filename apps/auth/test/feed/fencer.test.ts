import t, { type Test } from 'tap'
import { Fencer } from '../../src/feed/fencer.js'
import type { Lease } from '../../src/registry/index.js'

/** The Redis that says it is the registry's, unless a test says which. */
type FakeLease = Omit<Lease, 'run'> & { run?: string }

/** Leases of a registry that the test writes. */
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
    looks: 0,
    fails: false,
    missing: [] as number[],
    looked: () => {},
  }
  return Object.assign(state, {
    readLeases: async () => {
      state.looks += 1
      state.looked()
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
    /** So many further looks have begun; what the last but one found is done. */
    async looksOn(count: number) {
      const until = state.looks + count
      while (state.looks < until) {
        await new Promise<void>((resolve) => (state.looked = resolve))
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

t.test('only a count that stands still for the whole time is fenced', async (t) => {
  const still = lease({ node: 'still' })
  const renewing = lease({ node: 'renewing' })
  const fake = registry([still, renewing])
  const began = performance.now()
  const { fenced } = fencer(t, fake)
  while (fake.fenced.length === 0) {
    renewing.renewedUs += 1
    await fake.looksOn(1)
  }
  t.ok(performance.now() - began >= 60, 'not earlier')
  for (let more = 0; more < 5; more += 1) {
    renewing.renewedUs += 1
    await fake.looksOn(1)
  }
  t.same(fenced, ['still'])
  t.same(new Set(fake.settled), new Set([7]), 'its receipts are settled')
  t.ok(fake.settled.length <= 2, 'and not at every look')
  t.same(fake.forgotten, [], 'the process that has the name may come back')
})

t.test('a process that has lost its name is forgotten with its fence', async (t) => {
  const fake = registry([lease({ node: 'old', current: false })])
  fencer(t, fake)
  while (fake.forgotten.length === 0) {
    await fake.looksOn(1)
  }
  t.same(fake.settled, [7], 'after its receipts were settled')
})

t.test('a fence that another instance has made, and not finished, is finished', async (t) => {
  const fake = registry([lease({ fencedUs: 5 })])
  const { fenced } = fencer(t, fake)
  await fake.looksOn(3)
  t.same(fake.settled, [5])
  t.same(fenced, [])
})

t.test('after another Redis answers, everyone is seen anew', async (t) => {
  const fake = registry([lease({ fenceMs: 200 })])
  fencer(t, fake)
  // Restarted again and again, faster than the lease: nothing that was seen counts.
  const until = performance.now() + 400
  for (let n = 0; performance.now() < until; n += 1) {
    fake.run = `run-${n}`
    await fake.looksOn(1)
  }
  t.same(fake.fenced, [])
})

t.test(
  'a partition that does not answer keeps no other one waiting, and loses no time',
  async (t) => {
    const here = lease({ node: 'here' })
    const away = lease({ node: 'away', partition: 1, fenceMs: 200 })
    const fake = registry([here, away])
    const { errors } = fencer(t, fake)
    await fake.looksOn(2)
    const began = performance.now()
    fake.missing = [1]
    while (fake.fenced.length === 0) {
      await fake.looksOn(1)
    }
    t.same(fake.fenced, ['here'])
    t.ok(errors.length > 0, 'what is missing is said')
    while (performance.now() < began + 200) {
      await fake.looksOn(1)
    }
    fake.missing = []
    await fake.looksOn(2)
    t.same(fake.fenced, ['here', 'away'], 'the same count from the same Redis: it stood still')
  },
)

t.test('another Redis in one partition is no news of the others', async (t) => {
  const fake = registry([
    lease({ node: 'same', run: 'run' }),
    lease({ node: 'other', partition: 1 }),
  ])
  fencer(t, fake)
  for (let n = 0; fake.fenced.length === 0; n += 1) {
    fake.run = `run-${n}`
    await fake.looksOn(1)
  }
  t.same(fake.fenced, ['same'])
})

t.test('a revocation that waits for the whole time fences, whatever is renewed', async (t) => {
  const behind = lease({ node: 'behind', waitingUs: 10 })
  const busy = lease({ node: 'busy', waitingUs: 10 })
  const fake = registry([behind, busy])
  const { fenced } = fencer(t, fake)
  await fake.looksOn(2)
  fake.endUs = 10
  const began = performance.now()
  while (fake.fenced.length === 0) {
    behind.renewedUs += 1
    busy.renewedUs += 1
    // It has always something that waits, and nothing for long.
    fake.endUs += 1
    busy.waitingUs = fake.endUs
    await fake.looksOn(1)
  }
  t.ok(performance.now() - began >= 60, 'not earlier')
  await fake.looksOn(1)
  t.same(fenced, ['behind'])
  t.ok((fake.overdue[0] ?? 0) >= 10 && (fake.overdue[0] ?? 0) < fake.endUs, 'by what it has seen')
})

t.test('what another Redis has committed does not count as seen', async (t) => {
  const behind = lease({ waitingUs: 10, fenceMs: 200 })
  const fake = registry([behind])
  fake.endUs = 10
  fencer(t, fake)
  const until = performance.now() + 400
  for (let n = 0; performance.now() < until; n += 1) {
    fake.run = `run-${n}`
    behind.renewedUs += 1
    await fake.looksOn(1)
  }
  t.same(fake.fenced, [])
})

t.test('a renewal that is counted while the leases are read is not held against it', async (t) => {
  const slow = lease({ fenceMs: 60 })
  const fake = registry([slow])
  const { readLeases } = fake
  let answered = 0
  fake.readLeases = async () => {
    const read = await readLeases()
    if (fake.looks === 1) {
      // What was asked long ago is answered only now.
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
    await fake.looksOn(1)
  }
  t.ok(performance.now() - answered >= 60, 'its time begins with the answer')
})

t.test('an error is reported, and the fencer looks again', async (t) => {
  const fake = registry([lease()])
  fake.fails = true
  const { errors } = fencer(t, fake)
  await fake.looksOn(3)
  t.ok(errors.length >= 2)
  fake.fails = false
  while (fake.fenced.length === 0) {
    await fake.looksOn(1)
  }
})
