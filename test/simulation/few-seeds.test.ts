import t from 'tap'
import { play } from './src/play.js'

/** A few; `simulation.long.test.ts` plays many, and counts what happens in them. */
const seeds = 40

t.test('both invariants hold in a few seeds', async (t) => {
  const { failures, seeds: played } = await play({ first: 1, seeds, maxFailures: 1 })
  for (const { seed, broken } of failures) {
    t.fail(`seed ${seed}: ${broken}`, { replay: `npm run simulate -- --seed ${seed}` })
  }
  t.equal(played, seeds)
})
