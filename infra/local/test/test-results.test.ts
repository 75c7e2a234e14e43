import t from 'tap'
import { countRun, countTap, total } from '../src/test-results.js'

const tap = (summary: string) => `TAP version 14
# Subtest: test/a.test.ts
    ok 1 - prints a line like tap's own:
    # { total: 99, pass: 99 }
    1..1
ok 1 - test/a.test.ts # time=1ms
1..1
${summary}
# time=3ms
`

t.test("tap's own count is taken, not one that a test printed", async (t) => {
  t.same(countTap(tap('# { total: 1, pass: 1 }')), { passed: 1, failed: 0 })
  t.same(countTap(tap('# { total: 9, pass: 4, fail: 4, todo: 1 }')), { passed: 4, failed: 4 })
  t.same(countTap(tap('# { total: 3, fail: 3 }')), { passed: 0, failed: 3 })
})

t.test('a result that stops in the middle is a failure', async (t) => {
  t.same(countTap(tap('')), { passed: 0, failed: 1 })
  t.same(countTap(''), { passed: 0, failed: 1 })
})

t.test('a run adds up', async (t) => {
  const dir = t.testdir({
    good: { '.test-results': { 'results.tap': tap('# { total: 5, pass: 5 }') } },
    bad: { '.test-results': { 'results.tap': tap('# { total: 5, pass: 3, fail: 2 }') } },
    none: {},
  })
  const task = (id: string, name: string, exitCode: number | undefined, where = 'good') => ({
    id: `${id}#${name}`,
    task: name,
    dir: `${dir}/${where}`,
    exitCode,
  })
  const sum = (...tasks: Parameters<typeof countRun>[0]) => total(countRun(tasks).values())

  t.same(sum(task('a', 'test', 0), task('a', 'build', 0)), { passed: 5, failed: 0 })
  t.same(sum(task('a', 'test', 0), task('b', 'test', 1, 'bad')), { passed: 8, failed: 2 })
  t.same(sum(task('a', 'typecheck', 2)), { passed: 0, failed: 1 }, 'type errors')
  t.same(sum(task('//', 'lint:code', 1)), { passed: 0, failed: 1 }, 'lint')
  t.same(sum(task('a', 'test', 1)), { passed: 5, failed: 1 }, 'tap failed, no assertion did')
  t.same(sum(task('a', 'test', 1, 'none')), { passed: 0, failed: 1 }, 'tap wrote nothing')
  t.same(sum(task('a', 'test', undefined)), { passed: 0, failed: 1 }, 'never run: an old result')
})
