import t from 'tap'
import { Acknowledged } from '../../../src/broker/streams/acknowledged.js'

t.test('keeps positions until Redis has confirmed them, and for a minimum time', async (t) => {
  let now = 0
  const acknowledged = new Acknowledged({ forMs: 1000, minJump: 100, now: () => now })
  const place = (offset: number) => ({ offset, epoch: 'e' })
  acknowledged.set('a', place(1))
  acknowledged.set('a', place(2))
  now = 5000
  t.same(acknowledged.all, [['a', place(2)]], 'the last of each stream, before a confirmation')
  acknowledged.confirm(acknowledged.all)
  acknowledged.set('b', place(1))
  now = 5999
  acknowledged.confirm(acknowledged.all)
  t.same(
    acknowledged.all.map(([channel]) => channel).sort(),
    ['a', 'b'],
    'confirmations may come close together',
  )
  now = 6000
  acknowledged.confirm(acknowledged.all)
  t.same(
    acknowledged.all.map(([channel]) => channel),
    ['b'],
  )
  now = 7000
  acknowledged.confirm(acknowledged.all)
  t.equal(acknowledged.all.length, 0)
})

t.test('keeps the last position before a change of masters besides later ones', async (t) => {
  const acknowledged = new Acknowledged({ forMs: 1000, minJump: 100 })
  const place = (offset: number) => ({ offset, epoch: 'e' })
  for (const offset of [1, 2, 90, 190, 191]) {
    acknowledged.set('a', place(offset))
  }
  const seen = acknowledged.all
  t.same(seen, [
    ['a', place(90)],
    ['a', place(191)],
  ])
  acknowledged.set('a', place(300))
  acknowledged.confirm(seen)
  t.same(acknowledged.all, [
    ['a', place(191)],
    ['a', place(300)],
  ])
})
