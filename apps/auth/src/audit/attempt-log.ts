import type { AuditRecord } from '../registry/index.js'
import type { AuditLog } from './audit-log.js'

/** Refused attempts by unauthenticated callers, who can make any number of them. */
export interface AttemptLog {
  /**
   * Records an attempt.
   *
   * @param network - the address that rate limits count for this caller
   */
  add(record: AuditRecord, network: string): void
  /** Writes the counts so far. */
  flush(): void
  /** Writes the counts so far, and stops counting. */
  close(): void
}

export interface AttemptLogOptions {
  log: Pick<AuditLog, 'add'>
  /** How long attempts are counted before the count is written, in milliseconds. */
  windowMs?: number
  /** Claimed identities told apart in a window, for each network. */
  maxNames?: number
  /** Groups in a window; beyond it attempts are grouped without identity and network. */
  maxGroups?: number
}

interface Group {
  /** The fields that all attempts of the group share. */
  common: AuditRecord
  /** Attempts after the first. */
  count: number
}

/**
 * Opens a log that groups attempts, so that a flood of them writes few entries and pushes no other
 * entries out of the audit log. The first attempt of a group is written at once, with all its fields.
 * Later ones within the window are counted, and written as one entry with their `count`. A group shares
 * action, status, error, network and claimed identity. Callers choose names and networks freely, so
 * beyond a limit these no longer make new groups.
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
