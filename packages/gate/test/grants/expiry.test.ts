import fc from 'fast-check'
import t from 'tap'
import { Expiry } from '../../src/grants/expiry.js'

/** A clock that the test moves. */
class TestClock {
  wallMs = 1_700_000_000_000
  monotonicMs = 5000
  wall = (): number => this.wallMs
  monotonic = (): number => this.monotonicMs
  pass(ms: number): void {
    this.wallMs += ms
    this.monotonicMs += ms
  }
}

t.test('each item is due once, at its second', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 40 }),
      (seconds, steps) => {
        const clock = new TestClock()
        const start = clock.wallMs
        const due: number[] = []
        const expiry = new Expiry<{ at: number }>(({ at }) => due.push(at), clock)
        for (const second of seconds) {
          const at = start + second * 1000
          expiry.set({ at }, at)
        }
        for (const step of steps) {
          clock.pass(step)
          const before = due.length
          expiry.run()
          const late = due.slice(before).some((at) => at > clock.wallMs)
          if (late) {
            throw new Error('called too early')
          }
        }
        const passed = seconds.map((second) => start + second * 1000)
        const expected = passed.filter((at) => at <= clock.wallMs)
        if (due.length !== expected.length) {
          throw new Error('an item was skipped, or was due twice')
        }
        if (expiry.size !== seconds.length - due.length) {
          throw new Error('size')
        }
        expiry.clear()
      },
    ),
  )
  t.pass()
})

t.test('a clock set back lengthens nothing, and a clock set forward expires items', async (t) => {
  const clock = new TestClock()
  const due: string[] = []
  const expiry = new Expiry<{ name: string }>(({ name }) => due.push(name), clock)
  t.teardown(() => expiry.clear())
  expiry.set({ name: 'a minute' }, clock.wallMs + 60_000)
  clock.wallMs -= 3_600_000
  clock.pass(59_000)
  expiry.run()
  t.strictSame(due, [])
  clock.pass(1000)
  expiry.run()
  t.strictSame(due, ['a minute'], 'by the monotonic clock')

  expiry.set({ name: 'after the step' }, clock.wallMs + 10_000)
  clock.pass(9000)
  expiry.run()
  t.equal(due.length, 1)
  // As after a suspend: the monotonic clock stood still.
  clock.wallMs += 3_600_000
  expiry.run()
  t.strictSame(due, ['a minute', 'after the step'])
})

t.test('a moved or deleted item is not due at its old time', async (t) => {
  const clock = new TestClock()
  const due: string[] = []
  const expiry = new Expiry<{ name: string }>(({ name }) => due.push(name), clock)
  const [moved, taken] = [{ name: 'moved' }, { name: 'taken' }]
  expiry.set(moved, clock.wallMs + 1000)
  expiry.set(taken, clock.wallMs + 1000)
  expiry.set(moved, clock.wallMs + 5000)
  expiry.delete(taken)
  clock.pass(4000)
  expiry.run()
  t.strictSame(due, [])
  clock.pass(1000)
  expiry.run()
  t.strictSame(due, ['moved'])
  t.equal(expiry.size, 0)
})
