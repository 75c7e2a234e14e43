import t from 'tap'
import { figureNames, parseOptions } from './options.js'

t.test('measures every figure without arguments', async (t) => {
  t.same(parseOptions([]), { figures: figureNames, quick: false, out: '.portcullis/bench.json' })
})

t.test('parses figures and flags', async (t) => {
  t.same(
    parseOptions(['memory', 'fanout', '--quick', '--out', 'x.json', '--plots', 'docs/perf/']),
    {
      figures: ['memory', 'fanout'],
      quick: true,
      out: 'x.json',
      plots: 'docs/perf',
    },
  )
})

t.test('tells the client protocol and the server API of another server apart', async (t) => {
  const { against } = parseOptions([
    ...['--against', 'http://10.0.0.1:8000/api/', '--against', 'ws://10.0.0.1:8000/connection'],
    ...['--against-token', 'T', '--against-api-key', 'K', '--against-pid', '12,34'],
  ])
  t.same(against, {
    sockets: ['ws://10.0.0.1:8000/connection'],
    apis: ['http://10.0.0.1:8000/api'],
    token: 'T',
    apiKey: 'K',
    pids: [12, 34],
  })
})

t.test('rejects arguments that mean nothing', async (t) => {
  const rejected: [args: string[], message: RegExp][] = [
    [['fan-out'], /unknown figure "fan-out"; choose admission/],
    [['--fast'], /--fast/],
    [['--against-token', 'T'], /need --against URL/],
    [['--against', 'localhost:8000'], /URLs that begin with ws:/],
    [['--against', 'ws://a', '--against-pid', 'x'], /"x" is not a process id/],
  ]
  for (const [args, message] of rejected) {
    t.throws(() => parseOptions(args), { code: 'USAGE', message })
  }
})
