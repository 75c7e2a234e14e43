import { percentile } from '../bench/measure/statistics.js'

/** Describes durations in milliseconds: minimum, maximum, median and 99th percentile. */
export function spread(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) {
    return 'none'
  }
  const at = (percent: number) => Math.round(percentile(milliseconds, percent))
  return `${Math.round(Math.min(...milliseconds))} to ${at(100)} ms, half of them up to ${at(50)}, 99 % up to ${at(99)}`
}
