import fc from 'fast-check'
import t from 'tap'
import { Expiry } from '../../src/grants/expiry.js'

/** A clock that goes when told to. */
class Hands {
  wallMs = 1_700_000_000_000
  monotonicMs = 5000
  wall = (): number => this.wallMs
  monotonic = (): number => this.monotonicMs
  pass(ms: number): void {
    this.wallMs += ms
    this.monotonicMs += ms
  }
}

t.test('each thing is due once, at its second', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 40 }),
      (seconds, steps) => {
        const hands = new Hands()
        const start = hands.wallMs
        const due: number[] = []
        const expiry = new Expiry<{ at: number }>(({ at }) => due.push(at), hands)
        for (const second of seconds) {
          const at = start + second * 1000
          expiry.set({ at }, at)
        }
        for (const step of steps) {
          hands.pass(step)
          const before = due.length
          expiry.run()
          const late = due.slice(before).some((at) => at > hands.wallMs)
          if (late) {
            throw new Error('called before its time')
          }
        }
        const passed = seconds.map((second) => start + second * 1000)
        const expected = passed.filter((at) => at <= hands.wallMs)
        if (due.length !== expected.length) {
          throw new Error('one was left out, or came twice')
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

t.test('a clock set back lengthens nothing, a clock set forward ends what it passed', async (t) => {
  const hands = new Hands()
  const due: string[] = []
  const expiry = new Expiry<{ name: string }>(({ name }) => due.push(name), hands)
  t.teardown(() => expiry.clear())
  expiry.set({ name: 'a minute' }, hands.wallMs + 60_000)
  hands.wallMs -= 3_600_000
  hands.pass(59_000)
  expiry.run()
  t.strictSame(due, [])
  hands.pass(1000)
  expiry.run()
  t.strictSame(due, ['a minute'], 'the monotonic clock says so')

  expiry.set({ name: 'after the step' }, hands.wallMs + 10_000)
  hands.pass(9000)
  expiry.run()
  t.equal(due.length, 1)
  // As after sleep: monotonic time stood still.
  hands.wallMs += 3_600_000
  expiry.run()
  t.strictSame(due, ['a minute', 'after the step'])
})

t.test('what is moved or taken out is not due at its old time', async (t) => {
  const hands = new Hands()
  const due: string[] = []
  const expiry = new Expiry<{ name: string }>(({ name }) => due.push(name), hands)
  const [moved, taken] = [{ name: 'moved' }, { name: 'taken' }]
  expiry.set(moved, hands.wallMs + 1000)
  expiry.set(taken, hands.wallMs + 1000)
  expiry.set(moved, hands.wallMs + 5000)
  expiry.delete(taken)
  hands.pass(4000)
  expiry.run()
  t.strictSame(due, [])
  hands.pass(1000)
  expiry.run()
  t.strictSame(due, ['moved'])
  t.equal(expiry.size, 0)
})
