import t from 'tap'
import { cpuMicroseconds, cpuWhile, parsePsTime, parseTimes } from './cpu.js'

t.test('parses the times of ps, with and without hours', async (t) => {
  t.equal(parsePsTime('  0:01.25\n'), 1.25)
  t.equal(parsePsTime('2:03.50'), 123.5)
  t.equal(parsePsTime('01:00:10'), 3610)
})

t.test('parses the times of children in a shell', async (t) => {
  t.equal(parseTimes('0m0.010000s 0m0.000000s\n1m2.500000s 0m0.250000s\n'), 62.75)
  t.equal(parseTimes('0m0.010s 0m0.000s\n0m2.500s 0m0.250s\n'), 2.75, 'of bash')
  t.throws(() => parseTimes('nothing'), { message: /unreadable/ })
})

t.test('measures the CPU time of a process', async (t) => {
  const [used = 0] = await cpuWhile([process.pid], async () => {
    const { user, system } = process.cpuUsage()
    while (true) {
      const now = process.cpuUsage()
      if (now.user + now.system - user - system >= 50_000) {
        return
      }
    }
  })
  // The clock of cpuUsage is coarse; a wrong unit would be wrong by a factor of 1,000.
  t.ok(used > 30_000 && used < 500_000, `50 ms of work counted as ${used} µs`)
})

t.test('throws for a process that has ended', async (t) => {
  await t.rejects(cpuMicroseconds(2 ** 22 + 1), { message: /has ended/ })
})
