import t from 'tap'
import { SliceQueue } from '../../../src/connection/timing/slice-queue.js'

const turn = () => new Promise(setImmediate)

t.test('runs work at once within the slice of a turn, and later work in order', async (t) => {
  let now = 0
  const queue = new SliceQueue({ maxSliceMs: 2, now: () => now })
  const ran: number[] = []
  const work = (id: number) => () => {
    ran.push(id)
    now += 1
  }
  for (let id = 1; id <= 7; id += 1) {
    queue.run(work(id))
  }
  t.same(ran, [1, 2], 'in this turn')
  await turn()
  t.same(ran, [1, 2, 3, 4], 'in the next turn')
  queue.run(work(8))
  t.same(ran.length, 4, 'new work does not overtake')
  await turn()
  await turn()
  t.same(ran, [1, 2, 3, 4, 5, 6, 7, 8])
  await turn()
  queue.run(work(9))
  t.equal(ran.at(-1), 9, 'at once again')
})

t.test('runs one piece of work in each turn when there is no time', async (t) => {
  const queue = new SliceQueue({ maxSliceMs: 0 })
  const ran: number[] = []
  queue.run(() => ran.push(1))
  queue.run(() => queue.run(() => ran.push(3)))
  queue.run(() => ran.push(2))
  t.same(ran, [])
  await turn()
  t.same(ran, [1])
  for (let more = 0; more < 4; more += 1) {
    await turn()
  }
  t.same(ran, [1, 2, 3])
})
