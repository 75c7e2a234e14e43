import t from 'tap'
import { isMutantName, mutants } from './src/mutants.js'
import { play } from './src/play.js'

/** Enough to find every mutant. `npm run simulate -- --seeds N` plays more. */
const seeds = 1200

t.setTimeout(900_000)

t.test('both invariants hold in every seed', async (t) => {
  const { failures, counts, seeds: played } = await play({ first: 1, seeds, maxFailures: 5 })
  for (const { seed, broken } of failures) {
    t.fail(`seed ${seed}: ${broken}`, { replay: `npm run simulate -- --seed ${seed}` })
  }
  t.equal(played, seeds)
  // The seeds must reach every kind of event.
  for (const what of [
    'receipts',
    'receipts with a fence',
    'fences',
    'holds',
    'leases regained',
    'resumes asked for',
    'reconnects',
    'resyncs',
    'registry went back',
    'admission races',
    'refused: token',
    'refused: unavailable',
    'closed 4500',
    'closed 4000',
    'publications',
    'handler answers without effect',
    'held callers',
    'effects: issue-token',
    'effects: register-identity',
    'effects refused by deadline',
    'acknowledgements that waited for effects',
    'stops between check and effect',
    'bodies cut',
    'callers reused',
    'streams admitted',
    'commands of streams',
    'commands relayed',
    'commands relayed in vain',
  ]) {
    t.ok((counts.get(what) ?? 0) >= 50, `${what}: ${counts.get(what) ?? 0}`)
  }
})

for (const mutant of Object.keys(mutants)) {
  if (!isMutantName(mutant)) {
    continue
  }
  t.test(`finds the fault when ${mutants[mutant].what}`, async (t) => {
    const { seed, breaks } = mutants[mutant]
    const known = await play({ first: seed, seeds: 1, mutant })
    // After a change of the simulation, another seed may find the fault.
    const { failures, seeds: played } =
      known.failures.length > 0 ? known : await play({ first: 1, seeds, mutant, maxFailures: 1 })
    t.equal(failures[0]?.invariant, breaks, `in ${played} seeds`)
  })
}
