import t from 'tap'
import { cpuMicroseconds, cpuWhile, parsePsTime } from './cpu.js'

t.test('the time that ps writes, with and without hours', async (t) => {
  t.equal(parsePsTime('  0:01.25\n'), 1.25)
  t.equal(parsePsTime('2:03.50'), 123.5)
  t.equal(parsePsTime('01:00:10'), 3610)
})

t.test('the CPU time of a process grows by what it does', async (t) => {
  const [used = 0] = await cpuWhile([process.pid], async () => {
    const { user, system } = process.cpuUsage()
    while (true) {
      const now = process.cpuUsage()
      if (now.user + now.system - user - system >= 50_000) {
        return
      }
    }
  })
  // The clock of cpuUsage ticks coarsely; a wrong unit would be wrong by a thousand.
  t.ok(used > 30_000 && used < 500_000, `50 ms of work counted as ${used} µs`)
})

t.test('a process that is gone is an error, not zero', async (t) => {
  await t.rejects(cpuMicroseconds(2 ** 22 + 1), { message: /has ended/ })
})
