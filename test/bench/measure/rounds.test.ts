import t from 'tap'
import { alternate } from './rounds.js'

const recorder = (order: string[]) => (name: string) => ({
  name,
  run: async () => order.push(name),
})

t.test('alternates contenders and drops the warm-up round', async (t) => {
  const order: string[] = []
  const contender = recorder(order)
  const figures = await alternate([contender('a'), contender('b')], 2, () => undefined)
  t.same(order, ['a', 'b', 'b', 'a', 'a', 'b'])
  t.same(
    [...figures],
    [
      ['a', [4, 5]],
      ['b', [3, 6]],
    ],
  )
})

t.test('counts every round without a warm-up', async (t) => {
  const contender = recorder([])
  const figures = await alternate([contender('a')], 2, () => undefined, { warmUp: false })
  t.same(figures.get('a'), [1, 2])
})

t.test('ends when a contender fails', async (t) => {
  const failing = { name: 'a', run: () => Promise.reject(new Error('refused')) }
  await t.rejects(
    alternate([failing], 1, () => undefined),
    { message: 'refused' },
  )
})
