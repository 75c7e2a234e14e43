/** How often each property is tried: little in every test run, more with `FUZZ_RUNS` (`npm run fuzz`). */
export function runs(usual: number): number {
  const wanted = Number(process.env['FUZZ_RUNS'] ?? usual)
  if (Number.isSafeInteger(wanted) && wanted > 0) {
    return wanted
  }
  throw new Error('FUZZ_RUNS is how often to try, a number of 1 or more')
}
