import t from 'tap'
import { brokenFile, total } from '../../src/runner/counts.js'

t.test('sums passed and failed assertions', async (t) => {
  t.same(total([]), { passed: 0, failed: 0 })
  t.same(
    total([
      { passed: 5, failed: 0 },
      { passed: 3, failed: 2 },
    ]),
    { passed: 8, failed: 2 },
  )
})

t.test('counts a file that did not come to an end as one failure', async (t) => {
  t.match(brokenFile('test/a.test.ts', 12, 'SIGKILL', ['the last line']), {
    passed: 0,
    failed: 1,
    failures: [{ path: ['test/a.test.ts', 'SIGKILL'], details: ['the last line'] }],
  })
})
