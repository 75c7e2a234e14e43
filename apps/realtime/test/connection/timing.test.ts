import t from 'tap'
import { announcedTtl } from '../../src/connection/announced-ttl.js'
import { Deadline } from '../../src/connection/deadline.js'
import { Heartbeat } from '../../src/connection/heartbeat.js'

t.test('the announced ttl leaves time to refresh', async (t) => {
  const now = 1_000_000
  t.equal(announcedTtl(now + 3_600_000, now), 3590)
  t.equal(announcedTtl(now + 50_000, now), 45)
  t.equal(announcedTtl(now + 1000, now), 1, 'at least one second')
  t.equal(announcedTtl(now - 5000, now), 1)
})

t.test('a deadline comes for each member in turn, from one timer', async (t) => {
  const started = performance.now()
  const due: string[] = []
  await new Promise<void>((resolve) => {
    const deadline = new Deadline<string>(30, (member) => {
      due.push(member)
      if (member === 'last') resolve()
    })
    deadline.add('first')
    deadline.add('gone')
    deadline.delete('gone')
    setTimeout(() => deadline.add('last'), 10)
    // The deadline's own timer does not keep a process alive.
    const alive = setInterval(() => undefined, 1000)
    t.teardown(() => clearInterval(alive))
  })
  t.same(due, ['first', 'last'])
  t.ok(performance.now() - started >= 38, 'each had its whole time')
})

t.test('each interval brings one ping, and later the question for its pong', async (t) => {
  const calls: string[] = []
  const heartbeat = new Heartbeat({ pingIntervalMs: 100, pongTimeoutMs: 40 })
  await new Promise<void>((resolve) => {
    const stop = heartbeat.add({
      ping: () => calls.push('ping'),
      checkPong: () => {
        calls.push('check')
        if (calls.filter((call) => call === 'ping').length === 3) resolve()
      },
    })
    const alive = setInterval(() => undefined, 1000)
    t.teardown(() => {
      clearInterval(alive)
      stop()
      heartbeat.stop()
    })
  })
  const fromFirstPing = calls.slice(calls.indexOf('ping'))
  t.same(fromFirstPing, ['ping', 'check', 'ping', 'check', 'ping', 'check'])
})
