const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const

/** Returns a duration with one or two units: `45s`, `5m`, `1h 5m`, `2d 12h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const first = units.findIndex(([, size]) => whole >= size)
  const [unit, size] = units[first] ?? (['s', 1] as const)
  const shown = `${Math.floor(whole / size)}${unit}`
  const [nextUnit, nextSize] = units[first + 1] ?? (['s', 1] as const)
  const rest = Math.floor((whole % size) / nextSize)
  return rest === 0 || nextUnit === 's' ? shown : `${shown} ${rest}${nextUnit}`
}

/** Returns a time in Unix milliseconds relative to `now`: `5m ago`, `in 1h 5m`. */
export function relative(at: number, now = Date.now()): string {
  const seconds = Math.round((at - now) / 1000)
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`
}

/** Returns the local time of day with milliseconds. */
export function clock(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
