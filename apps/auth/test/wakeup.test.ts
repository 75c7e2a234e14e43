import t from 'tap'
import { Wakeup } from '../src/wakeup.js'

t.test('resolves at once when the condition holds', async (t) => {
  t.equal(await new Wakeup().until(() => true), true)
})

t.test('checks the condition of every waiter after each wake', async (t) => {
  const changed = new Wakeup()
  let count = 0
  const resolved: number[] = []
  const waits = [1, 2, 2].map(async (wanted) => {
    t.equal(await changed.until(() => count >= wanted), true)
    resolved.push(wanted)
  })
  changed.wake()
  await new Promise(setImmediate)
  t.same(resolved, [], 'a wake without a change resolves nothing')
  count = 1
  changed.wake()
  await waits[0]
  t.same(resolved, [1])
  count = 2
  changed.wake()
  await Promise.all(waits)
  t.same(resolved, [1, 2, 2])
})

t.test('a signal ends the wait, also one that is aborted before it', async (t) => {
  const changed = new Wakeup()
  const first = new AbortController()
  const second = new AbortController()
  const waiting = changed.until(() => false, { signals: [first.signal, second.signal] })
  second.abort()
  t.equal(await waiting, false)
  t.equal(await changed.until(() => false, { signals: [second.signal] }), false)
  t.equal(
    await changed.until(() => true, { signals: [second.signal] }),
    true,
    'the condition counts',
  )
})

t.test('maxWaitMs ends the wait of its own waiter only', async (t) => {
  const changed = new Wakeup()
  let done = false
  const unlimited = changed.until(() => done)
  t.equal(await changed.until(() => done, { maxWaitMs: 1 }), false)
  done = true
  changed.wake()
  t.equal(await unlimited, true)
})
