/** A number and what it counts: `1 token`, `2 tokens`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
