import t from 'tap'
import { drain } from '../../src/hub/drain.js'

/** A hub with this many members; each records when and how it was closed. */
function hubOf(count: number, now: () => number, closing = () => {}) {
  const ended: { at: number; code: number }[][] = Array.from({ length: count }, () => [])
  return {
    ended,
    closed: () => ended.filter((each) => each.length > 0).length,
    *members() {
      for (const each of ended) {
        yield {
          end({ code }: { code: number }) {
            each.push({ at: now(), code })
            closing()
          },
        }
      }
    },
  }
}

const now = () => performance.now()

t.test('closes each member once, as many as are due', async (t) => {
  let clock = 0
  const hub = hubOf(50, () => clock)
  const draining = drain(hub, { overMs: 100, now: () => clock })
  t.equal(hub.closed(), 10, 'the first part, at once')
  clock = 100
  await draining
  t.ok(hub.ended.every(([first, ...more]) => first?.code === 3001 && more.length === 0))
  t.equal(hub.ended.filter(([first]) => first?.at === 0).length, 10, 'the others in time')
})

t.test('closes a few members without delay', async (t) => {
  const hub = hubOf(3, now)
  const started = now()
  await drain(hub, { overMs: 60_000 })
  t.equal(hub.closed(), 3)
  t.ok(now() - started < 30_000)
})

t.test('finishes in time although each close takes time', async (t) => {
  // Each close takes 4 ms by this clock; 500 closes are due within one second.
  let clock = 0
  const hub = hubOf(
    500,
    () => clock,
    () => {
      clock += 4
    },
  )
  let steps = 0
  await drain(hub, {
    overMs: 1000,
    now: () => {
      steps += 1
      return clock
    },
  })
  t.equal(hub.closed(), 500)
  t.ok(steps < 15, `${steps} steps; as many steps as for 50 clients would add a second of pauses`)
})

t.test('stops early on a signal', async (t) => {
  const hub = hubOf(50, now)
  const controller = new AbortController()
  const draining = drain(hub, { overMs: 1000, signal: controller.signal })
  controller.abort()
  await draining
  t.ok(hub.closed() < 50)
})
