import t from 'tap'
import { WaitingEvents } from '../../../src/handlers/events/waiting-events.js'

t.test('returns events in order, in batches', async (t) => {
  const waiting = new WaitingEvents<number>(10)
  for (const event of [1, 2, 3, 4, 5]) {
    t.equal(waiting.add(event), true)
  }
  t.same(waiting.take(2), { events: [1, 2], lost: 0 })
  t.equal(waiting.size, 3)
  waiting.add(6)
  t.same(waiting.take(10), { events: [3, 4, 5, 6], lost: 0 })
  t.same(waiting.take(10), { events: [], lost: 0 })
})

t.test('drops the oldest events when it is full, and tells once how many', async (t) => {
  const waiting = new WaitingEvents<number>(3)
  const kept = [1, 2, 3, 4, 5].map((event) => waiting.add(event))
  t.same(kept, [true, true, true, false, false])
  t.equal(waiting.size, 3)
  t.same(waiting.take(2), { events: [3, 4], lost: 2 })
  waiting.add(6)
  t.same(waiting.take(2), { events: [5, 6], lost: 0 })
})

t.test('keeps its order over many events', async (t) => {
  const waiting = new WaitingEvents<number>(100)
  const taken: number[] = []
  let next = 0
  for (let round = 0; round < 50; round += 1) {
    for (let added = 0; added < 30; added += 1) {
      waiting.add(next)
      next += 1
    }
    taken.push(...waiting.take(30).events)
  }
  t.same(
    taken,
    Array.from({ length: next }, (_, at) => at),
  )
  t.equal(waiting.size, 0)
})
