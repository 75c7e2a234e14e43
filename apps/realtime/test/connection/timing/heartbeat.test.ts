import t from 'tap'
import { Heartbeat } from '../../../src/connection/timing/heartbeat.js'

t.test('pings once per interval, and checks the pong later', async (t) => {
  const calls: string[] = []
  const heartbeat = new Heartbeat({ pingIntervalMs: 100, pongTimeoutMs: 40 })
  await new Promise<void>((resolve) => {
    const member = {
      ping: () => calls.push('ping'),
      checkPong: () => {
        calls.push('check')
        if (calls.filter((call) => call === 'ping').length === 3) {
          resolve()
        }
      },
    }
    const slot = heartbeat.add(member)
    const alive = setInterval(() => undefined, 1000)
    t.teardown(() => {
      clearInterval(alive)
      heartbeat.delete(member, slot)
      heartbeat.stop()
    })
  })
  const fromFirstPing = calls.slice(calls.indexOf('ping'))
  t.same(fromFirstPing, ['ping', 'check', 'ping', 'check', 'ping', 'check'])
})
