/**
 * Returns the percentile by nearest rank, which is always one of the values.
 *
 * @throws RangeError without values, or when `percent` is not in (0, 100].
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) {
    throw new RangeError(`percent must be in (0, 100], not ${percent}`)
  }
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.ceil((percent / 100) * sorted.length) - 1]
  if (value === undefined) {
    throw new RangeError('no values to take a percentile of')
  }
  return value
}

/** Returns the middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (upper === undefined || lower === undefined) {
    throw new RangeError('no values to take a median of')
  }
  return (lower + upper) / 2
}

/** Returns (largest - smallest) / median, in percent. */
export function spreadPercent(values: readonly number[]): number {
  const middle = median(values)
  return middle === 0 ? 0 : ((Math.max(...values) - Math.min(...values)) / middle) * 100
}
