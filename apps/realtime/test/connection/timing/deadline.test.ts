import t from 'tap'
import { Deadline } from '../../../src/connection/timing/deadline.js'

t.test('calls back for each member in turn', async (t) => {
  const started = performance.now()
  const due: string[] = []
  await new Promise<void>((resolve) => {
    const deadline = new Deadline<string>(30, (member) => {
      due.push(member)
      if (member === 'last') {
        resolve()
      }
    })
    deadline.add('first')
    deadline.add('gone')
    deadline.delete('gone')
    setTimeout(() => deadline.add('last'), 10)
    // The deadline's timer does not keep the process alive.
    const alive = setInterval(() => undefined, 1000)
    t.teardown(() => clearInterval(alive))
  })
  t.same(due, ['first', 'last'])
  t.ok(performance.now() - started >= 38, 'each member had its full time')
})
