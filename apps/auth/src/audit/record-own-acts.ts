import type { KeySet } from '../keys/index.js'
import type { AdministratorOutcome, AuditRecord } from '../registry/index.js'
import type { AuditLog } from './audit-log.js'

/** Where auth acts on its own. */
export interface OwnActs {
  keys: Pick<KeySet, 'onScheduled'>
  /** Outcome of the administrator's setup at this start. */
  administrator: AdministratorOutcome & { identity: string }
}

/**
 * Records what auth does without a request, at the start and later. Such entries have no actor. Resolves
 * when the entry of the start is written.
 */
export async function recordOwnActs(
  log: AuditLog,
  { keys, administrator }: OwnActs,
): Promise<void> {
  keys.onScheduled((kid) => void log.add(keyRotated(kid)))
  const { made } = administrator
  if (made === 'identity' || made === 'code') {
    await log.add(administratorMade(administrator))
  }
}

function keyRotated(kid: string): AuditRecord {
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
