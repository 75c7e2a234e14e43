/** Returns the number of runs of each property: `byDefault`, or `FUZZ_RUNS` (`npm run fuzz`). */
export function runs(byDefault: number): number {
  const count = Number(process.env['FUZZ_RUNS'] ?? byDefault)
  if (Number.isSafeInteger(count) && count > 0) {
    return count
  }
  throw new Error('FUZZ_RUNS must be a whole number, 1 or more')
}
