import t from 'tap'
import { Retries } from '../../../src/events/delivery/retries.js'
import type { QueuedEvent } from '../../../src/registry/index.js'

const event = (jti: string): QueuedEvent => ({ jti, at: 0, what: { kind: 'missed' } })
const [a, b] = [event('a'), event('b')]

t.test(
  'the wait doubles while a receiver is down, and each attempt includes all events',
  async (t) => {
    const retries = new Retries(1000)
    t.equal(retries.dueAt, Number.POSITIVE_INFINITY)
    let now = 0
    const waits = []
    for (let tries = 0; tries < 12; tries += 1) {
      t.ok(retries.mayTry(now))
      t.same(retries.untried([a, b]), [a, b])
      retries.tried([a, b], false, now)
      t.notOk(retries.mayTry(now))
      t.same(retries.untried([a, b]), [])
      waits.push(retries.dueAt - now)
      now = retries.dueAt
    }
    for (const [tries, wait] of waits.entries()) {
      const full = Math.min(1000 * 2 ** tries, 300_000)
      t.ok(wait >= full / 2 && wait <= full, `${wait} of ${full}`)
    }
  },
)

t.test('an event that fails waits alone, and shortly once the receiver answers', async (t) => {
  const retries = new Retries(1000)
  retries.mayTry(0)
  for (let now = 0; now < 1e6; now = retries.dueAt) {
    retries.mayTry(now)
    retries.tried([a], false, now)
  }
  const now = retries.dueAt - 100_000
  t.ok(retries.mayTry(now))
  t.same(retries.untried([a, b]), [b], 'the other event does not wait')
  retries.tried([], true, now)
  t.ok(retries.dueAt <= now + 1000)
  t.ok(retries.mayTry(now), 'new events are tried at once')
  t.ok(retries.mayTry(retries.dueAt))
  t.same(retries.untried([a]), [a])
  retries.tried([], true, retries.dueAt)
  t.equal(retries.dueAt, Number.POSITIVE_INFINITY)
})
