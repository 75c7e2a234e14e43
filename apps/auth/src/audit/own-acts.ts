import type { AdministratorMade, AuditRecord } from '../registry/index.js'

// What auth does by itself, as the audit log says it. No request was made, so nobody is named.

/** The administrator that a start made sure of; nothing when there was nothing to do. */
export function administratorRecord(
  identity: string,
  made: AdministratorMade,
): AuditRecord | undefined {
  if (made.made === 'nothing') return undefined
  const cause = 'start'
  return made.made === 'code'
    ? { action: 'code.add', result: 'ok', target: { identity, code: made.code }, detail: { cause } }
    : {
        action: 'identity.register',
        result: 'ok',
        target: { identity },
        detail: { scopes: 'admin', cause },
      }
}

/** The schedule has let this key take over. */
export function rotationRecord(kid: string): AuditRecord {
  return { action: 'key.rotate', result: 'ok', target: { key: kid }, detail: { cause: 'schedule' } }
}
