/** A position in one partition's feed: the id of the last event applied, `0-0` before any. */
export interface CursorPart {
  id: string
  /** Rises by one with each event. */
  sequence: number
  /** The microsecond of its commit. */
  us: number
}

/** The parts of a cursor, in the order of the partitions; undefined when it is none. */
export function cursorParts(cursor: string): CursorPart[] | undefined {
  const parts = cursor.split(',').map(cursorPart)
  return parts.every((part) => part !== undefined) ? parts : undefined
}

/**
 * Whether a position is at or after another, in every partition. Both numbers rise with each event; a
 * feed that went backwards gives a sequence again, but at a later time.
 */
export function reaches(cursor: string, other: string): boolean {
  const parts = cursorParts(cursor) ?? []
  const others = cursorParts(other) ?? []
  return (
    parts.length === others.length &&
    others.every(({ sequence, us }, partition) => {
      const part = parts[partition]
      return part !== undefined && part.sequence >= sequence && part.us >= us
    })
  )
}

/** Sixteen digits at most: below 2^53, so the numbers are exact. */
export function cursorPart(id: string): CursorPart | undefined {
  const [, sequence, us] = /^(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,15})$/.exec(id) ?? []
  if (sequence === undefined || us === undefined) {
    return undefined
  }
  return Number(us) > Number.MAX_SAFE_INTEGER
    ? undefined
    : { id, sequence: Number(sequence), us: Number(us) }
}
