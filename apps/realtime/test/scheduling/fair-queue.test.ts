import t from 'tap'
import { FairQueue } from '../../src/scheduling/fair-queue.js'

/**
 * Jobs that run until the test ends them; `begun` lists their names in the order of their start.
 */
function jobs(queue: FairQueue) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    add: (name: string, weight = 1) =>
      queue.run(name.slice(0, 1), weight, () => {
        begun.push(name)
        return new Promise<void>((resolve) => ends.set(name, resolve))
      }),
    end: (name: string) => ends.get(name)?.(),
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const wide = { maxInFlight: 100, maxPerCaller: 100, maxSliceMs: 1000 }

t.test('lets callers take turns and bounds the jobs of each', async (t) => {
  const queue = new FairQueue({ ...wide, maxInFlight: 3, maxPerCaller: 2 })
  const { begun, add, end } = jobs(queue)
  const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => add(name))
  t.same(begun, ['a1', 'a2', 'b1'])
  for (const [ended, next] of [
    ['a1', 'a3'],
    ['a2', 'b2'],
    ['a3', 'c1'],
    ['b1', 'a4'],
  ] as const) {
    end(ended)
    await turn()
    t.equal(begun.at(-1), next)
  }
  for (const name of ['b2', 'c1', 'a4']) {
    end(name)
  }
  await Promise.all(all)
  await turn()
  t.equal(queue.size, 0)
})

t.test('counts jobs by weight and does not let light jobs overtake a heavy one', async (t) => {
  const queue = new FairQueue({ ...wide, maxInFlight: 4, maxPerCaller: 3 })
  const { begun, add, end } = jobs(queue)
  const light = add('a1')
  const heavy = add('b1', 9)
  add('c1')
  t.same(begun, ['a1'], 'the heavy job waits, and the next one behind it')
  end('a1')
  await light
  await turn()
  t.same(begun, ['a1', 'b1'], 'a job heavier than a bound runs alone')
  end('b1')
  await heavy
  await turn()
  t.same(begun, ['a1', 'b1', 'c1'])
})

t.test('starts jobs in slices, with a turn of the event loop between them', async (t) => {
  const queue = new FairQueue({ ...wide, maxSliceMs: 0 })
  const begun: number[] = []
  const all = [1, 2, 3].map((n) => queue.run('a', 1, async () => begun.push(n)))
  t.same(begun, [1])
  await turn()
  t.same(begun, [1, 2])
  await Promise.all(all)
  t.same(begun, [1, 2, 3])
})

t.test('rejects with the error of a failed job and starts the next', async (t) => {
  const queue = new FairQueue({ ...wide, maxInFlight: 1 })
  const failing = queue.run('a', 1, () => {
    throw new Error('at once')
  })
  const next = queue.run('a', 1, async () => 'next')
  await t.rejects(failing, /at once/)
  t.equal(await next, 'next')
})
