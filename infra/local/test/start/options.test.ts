import t from 'tap'
import { readStartOptions } from '../../src/start/options.js'

t.test('defaults to the documented ports', async (t) => {
  t.match(readStartOptions([]), { realtime: 2, authPort: 4000, realtimePort: 8000 })
  t.match(readStartOptions(['--realtime', '3']), { realtime: 3 })
  t.match(readStartOptions(['--workers', '2']), { workers: '2' })
  t.match(readStartOptions(['--workers', 'auto']), { workers: 'auto' })
  t.equal(readStartOptions(['--help']), 'help')
})

t.test('rejects a wrong option with one line that says what to change', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--realtime', '0'], /^--realtime takes a number from 1 to 64$/],
    [['--realtime', '2.5'], /^--realtime takes a number/],
    [['--realtime-port', '65535'], /^--realtime-port takes a number from 1 to 65534$/],
    [['--auth-port', '-1'], /--auth-port/],
    [['--workers', '0'], /^--workers takes a number from 1 to 64, or auto$/],
    [['--workers', '65'], /^--workers takes/],
    [['--workers', 'many'], /^--workers takes/],
    [['--nodes', '2'], /--nodes/],
    [['2'], /2/],
  ]
  for (const [args, message] of cases) {
    t.throws(() => readStartOptions(args), { code: 'bad_arguments', message }, args.join(' '))
  }
})
