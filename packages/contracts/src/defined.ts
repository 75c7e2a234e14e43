/** `T` without `undefined`: a property that may be undefined becomes optional. */
export type Defined<T> = {
  [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key]
} & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>
}

/**
 * Returns a copy of `members` without the properties that are undefined, for types whose optional
 * properties must be absent instead (`exactOptionalPropertyTypes`), and for JSON.
 */
export function defined<T extends object>(members: T): Defined<T>
export function defined(members: object): object {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) {
      kept[name] = value
    }
  }
  return kept
}
