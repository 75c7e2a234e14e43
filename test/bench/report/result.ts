/** A column of figures: its key in the JSON file, its head in the table. */
export interface Column {
  key: string
  title: string
  /** Decimals shown in the table; the JSON file has them all. */
  digits: number
}

export interface Row {
  name: string
  /** By column key; a figure that does not exist for this row is left out. */
  figures: Readonly<Record<string, number>>
}

/** What one benchmark found. */
export interface Result {
  name: string
  title: string
  columns: readonly Column[]
  rows: readonly Row[]
  /** Counts, pacing and what is measured: what somebody needs to get the same figures. */
  conditions: readonly string[]
}
