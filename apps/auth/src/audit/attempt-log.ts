import type { AuditRecord } from '../registry/index.js'
import type { AuditLog } from './audit-log.js'

/** Refused attempts whose caller has proven nothing: anyone can make as many as a network carries. */
export interface AttemptLog {
  /**
   * Notes an attempt.
   *
   * @param network - where it came from, as limits see it
   */
  add(record: AuditRecord, network: string): void
  /** Writes what has been counted so far. */
  flush(): void
  /** Does the same, and counts no longer. */
  close(): void
}

export interface AttemptLogOptions {
  log: Pick<AuditLog, 'add'>
  /** How long attempts are counted until their number is written. */
  windowMs?: number
  /** Names that attempts of one network may claim in a window and be told apart by. */
  maxNames?: number
  /** Groups in a window, before attempts are told apart by neither name nor network. */
  maxGroups?: number
}

interface Group {
  /** What its attempts have in common. */
  common: AuditRecord
  /** Attempts beside the first. */
  count: number
}

/**
 * Folds attempts, so that a flood of them leaves few entries and pushes no others out of the log. The first
 * of a kind is written at once and whole. Those that follow within the window are counted, and one entry
 * with their `count` stands for them. Attempts are of a kind when action, status, error, network and
 * claimed identity are the same; names and networks are anyone's to invent, so beyond a bound they no
 * longer tell kinds apart.
 */
export function openAttemptLog({
  log,
  windowMs = 60_000,
  maxNames = 8,
  maxGroups = 256,
}: AttemptLogOptions): AttemptLog {
  const groups = new Map<string, Group>()
  const namesOf = new Map<string, Set<string>>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function isKnownName(network: string, name: string): boolean {
    const names = namesOf.get(network) ?? new Set()
    if (names.size >= maxNames && !names.has(name)) {
      return false
    }
    namesOf.set(network, names.add(name))
    return true
  }

  function commonOf(record: AuditRecord, network: string): AuditRecord {
    const { action, result, status, error, actor } = record
    const kind = { action, result, ...(status && { status }), ...(error && { error }) }
    if (groups.size >= maxGroups) {
      return kind
    }
    if (actor === undefined || !isKnownName(network, actor.identity)) {
      return { ...kind, address: network }
    }
    return { ...kind, actor: { identity: actor.identity, claimed: true }, address: network }
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    for (const { common, count } of groups.values()) {
      if (count > 0) {
        void log.add({ ...common, count })
      }
    }
    groups.clear()
    namesOf.clear()
  }

  return {
    add(record, network) {
      const common = commonOf(record, network)
      const key = JSON.stringify(common)
      const group = groups.get(key)
      if (group !== undefined) {
        group.count += 1
        return
      }
      void log.add(record)
      if (closed) {
        return
      }
      groups.set(key, { common, count: 0 })
      timer ??= setTimeout(flush, windowMs).unref()
    },
    flush,
    close() {
      closed = true
      flush()
    },
  }
}
