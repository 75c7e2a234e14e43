/**
 * A position in one partition's feed: the id of the last event applied, or `0-0` before the first.
 */
export interface CursorPart {
  id: string
  /** Increases by one with each event. */
  sequence: number
  /** The microsecond of the event's commit. */
  us: number
}

/**
 * Returns the parts of a cursor in the order of the partitions, or undefined when the cursor is
 * malformed.
 */
export function cursorParts(cursor: string): CursorPart[] | undefined {
  const parts = cursor.split(',').map(cursorPart)
  return parts.every((part) => part !== undefined) ? parts : undefined
}

/**
 * Returns true when `cursor` is at or after `other` in every partition.
 *
 * Compares both numbers: a feed that went backwards uses a sequence again, but at a later time.
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

/**
 * Returns a position from an event's id, or undefined when the id is malformed. At most 16 digits
 * and below 2^53, so that the numbers are exact.
 */
export function cursorPart(id: string): CursorPart | undefined {
  const [, sequence, us] = /^(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,15})$/.exec(id) ?? []
  if (sequence === undefined || us === undefined) {
    return undefined
  }
  return Number(us) > Number.MAX_SAFE_INTEGER
    ? undefined
    : { id, sequence: Number(sequence), us: Number(us) }
}
