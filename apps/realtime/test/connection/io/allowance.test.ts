import fc from 'fast-check'
import t from 'tap'
import { Allowance } from '../../../src/connection/io/allowance.js'

const rates = { commandsPerSecond: 10, bytesPerSecond: 1000, burstSeconds: 2 }

t.test('allows a burst, and then the rate', async (t) => {
  const allowance = new Allowance(rates)
  for (let sent = 0; sent < 20; sent += 1) {
    t.equal(allowance.judge(1, 1, 5000), 'within')
  }
  t.equal(allowance.judge(1, 1, 5000), 'over')
  t.equal(allowance.judge(1, 1, 5099), 'over')
  t.equal(allowance.judge(1, 1, 5101), 'within', 'a tenth of a second is one command')
  t.equal(allowance.judge(1, 1, 5102), 'over')
  for (let sent = 0; sent < 20; sent += 1) {
    t.equal(allowance.judge(1, 1, 9000), 'within')
  }
  t.equal(allowance.judge(1, 1, 9000), 'over', 'unused time adds up to one burst')
})

t.test('limits bytes separately', async (t) => {
  const allowance = new Allowance(rates)
  t.equal(allowance.judge(1999, 1, 0), 'within')
  t.equal(allowance.judge(5000, 1, 0), 'within', 'a message that begins within the limit')
  t.equal(allowance.judge(1, 1, 0), 'over')
  t.equal(allowance.judge(1, 1, 4998), 'over', 'its excess counts')
  t.equal(allowance.judge(1, 1, 5000), 'within')
})

t.test('reports a flood when more is refused than allowed', async (t) => {
  const patient = new Allowance(rates)
  const greedy = new Allowance(rates)
  const verdicts = { patient: new Set(), greedy: new Set() }
  for (let ms = 0; ms < 60_000; ms += 10) {
    if (ms % 60 === 0) {
      verdicts.patient.add(patient.judge(1, 1, ms))
    }
    if (ms % 40 === 0) {
      verdicts.greedy.add(greedy.judge(1, 1, ms))
    }
  }
  t.same([...verdicts.patient], ['within', 'over'], 'below twice the rate')
  t.same([...verdicts.greedy], ['within', 'over', 'flood'], 'above twice the rate')
})

t.test('never allows more than the rate and two bursts', async () => {
  const message = fc.record({
    afterMs: fc.integer({ min: 0, max: 3000 }),
    bytes: fc.integer({ min: 1, max: 1500 }),
    commands: fc.integer({ min: 1, max: 15 }),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 200 }), (messages) => {
      const allowance = new Allowance(rates)
      let now = 1e6
      let [bytes, commands] = [0, 0]
      for (const each of messages) {
        now += each.afterMs
        if (allowance.judge(each.bytes, each.commands, now) !== 'within') {
          continue
        }
        bytes += each.bytes
        commands += each.commands
      }
      const seconds = (now - 1e6) / 1000
      // The last message of a burst may exceed it.
      return commands <= 10 * (seconds + 2) + 15 && bytes <= 1000 * (seconds + 2) + 1500
    }),
  )
})
