import t from 'tap'
import { cpuMicroseconds, cpuWhile, parsePsTime } from './cpu.js'

t.test('parses the times of ps, with and without hours', async (t) => {
  t.equal(parsePsTime('  0:01.25\n'), 1.25)
  t.equal(parsePsTime('2:03.50'), 123.5)
  t.equal(parsePsTime('01:00:10'), 3610)
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
