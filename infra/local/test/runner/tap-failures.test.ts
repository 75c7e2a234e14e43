import t from 'tap'
import { tapFailures } from '../../src/runner/tap-failures.js'

const tap = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: one
        ok 1 - fine
        not ok 2 - one is two
          ---
          diff: |
            -2
            +1
            not ok 9 - only a word in a diff
          ...
        # Subtest: inner
            not ok 1 - deep
            1..1
        not ok 3 - inner # time=12.35ms
          ---
          at: somewhere
          ...
        1..3
    not ok 1 - one # time=36.203ms
    # Subtest: two
        ok 1 - fine
        1..1
    ok 2 - two # time=0.554ms
    not ok 3 - later # TODO
    1..3
not ok 1 - test/a.test.ts # time=49.484ms
# Subtest: test/b.test.ts
    ok 1 - fine
    1..1
ok 2 - test/b.test.ts # time=1ms
# Subtest: test/c.test.ts
    1..0 # no tests found
not ok 3 - test/c.test.ts # time=1192.171ms
  ---
  exitCode: 1
  ...
`

t.test('returns the innermost failures, each with its path and details', async (t) => {
  t.same(tapFailures(tap), [
    {
      path: ['test/a.test.ts', 'one', 'one is two'],
      details: ['diff: |', '  -2', '  +1', '  not ok 9 - only a word in a diff'],
    },
    { path: ['test/a.test.ts', 'one', 'inner', 'deep'], details: [] },
    { path: ['test/c.test.ts'], details: ['exitCode: 1'] },
  ])
  t.same(tapFailures(''), [])
})
