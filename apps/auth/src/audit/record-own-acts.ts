import type { KeySet } from '../keys/index.js'
import type { AdministratorOutcome, AuditRecord } from '../registry/index.js'
import type { AuditLog } from './audit-log.js'

export interface OwnActs {
  keys: Pick<KeySet, 'onScheduled'>
  /** The administrator that this start has made sure of. */
  administrator: AdministratorOutcome & { identity: string }
}

/**
 * Writes down what auth does by itself, now and from here on. No request was made, so nobody is named.
 * Resolves when what the start did is on record.
 */
export async function recordOwnActs(
  log: AuditLog,
  { keys, administrator }: OwnActs,
): Promise<void> {
  keys.onScheduled((kid) => void log.add(rotation(kid)))
  const { made } = administrator
  if (made === 'identity' || made === 'code') {
    await log.add(administratorMade(administrator))
  }
}

function rotation(kid: string): AuditRecord {
  return { action: 'key.rotate', result: 'ok', target: { key: kid }, detail: { cause: 'schedule' } }
}

function administratorMade({ identity, ...outcome }: OwnActs['administrator']): AuditRecord {
  const cause = 'start'
  if (outcome.made === 'code') {
    const target = { identity, code: outcome.code }
    return { action: 'code.add', result: 'ok', target, detail: { cause } }
  }
  const detail = { scopes: 'admin', cause }
  return { action: 'identity.register', result: 'ok', target: { identity }, detail }
}
