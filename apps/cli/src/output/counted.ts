/** Returns a number with its noun: `1 token`, `2 tokens`. */
export function counted(n: number, singular: string, plural = `${singular}s`): string {
  return `${n} ${n === 1 ? singular : plural}`
}
