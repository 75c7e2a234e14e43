/** A column of figures: key in the JSON file, title in the table. */
export interface Column {
  key: string
  title: string
  /** Decimals in the table; the JSON file has all. */
  digits: number
}

export interface Row {
  name: string
  /** By column key; figures that the row does not have are omitted. */
  figures: Readonly<Record<string, number>>
}

/** The result of a benchmark. */
export interface Result {
  name: string
  title: string
  columns: readonly Column[]
  rows: readonly Row[]
  /** What is measured, counts and pacing: everything needed to reproduce the figures. */
  conditions: readonly string[]
}
