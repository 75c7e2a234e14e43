import { isMutantName, mutants } from './mutants.js'
import { productionParts } from './parts.js'
import { Broken } from './scenario/invariants.js'
import { simulate } from './scenario/simulation.js'
import { replaceGlobals } from './world/globals.js'

/** The result of one seed. */
export interface Report {
  seed: string
  /** Error text; undefined when the seed passed. */
  broken?: string
  /** The broken invariant, unless the error is another one. */
  invariant?: Broken['invariant']
  counts: [string, number][]
}

/** Plays every `step`th seed, starting with `first`; see `play`. */
const [first = '1', step = '1', seeds = '1', mutant = ''] = process.argv.slice(2)
replaceGlobals()
const parts = isMutantName(mutant)
  ? { ...productionParts, ...mutants[mutant].parts }
  : productionParts

for (let seed = Number(first); seed < Number(first) + Number(seeds); seed += Number(step)) {
  const { broken, counts } = await simulate({ seed: String(seed), parts })
  const report: Report = {
    seed: String(seed),
    ...(broken === undefined ? {} : { broken: String(broken.stack ?? broken) }),
    ...(broken instanceof Broken ? { invariant: broken.invariant } : {}),
    counts: [...counts],
  }
  await new Promise((resolve) => process.send?.(report, resolve))
}
process.disconnect?.()
