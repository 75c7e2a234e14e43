import { identityNamePattern } from '@portcullis/contracts/names'

/** A registration code has 43 of these characters, each part of a token more; a UUID has 36, a `jti` fewer. */
const longRun = /[A-Za-z0-9_-]{40}/

/** Returns true when a text may contain a registration code or a token. */
export function mayBeSecret(text: string): boolean {
  return longRun.test(text)
}

/**
 * Returns an unverified name if it may be logged; undefined otherwise. Callers confuse the fields of a
 * form, and send a registration code or a token in place of a name.
 */
export function shownName(text: unknown): string | undefined {
  if (typeof text !== 'string' || !identityNamePattern.test(text)) {
    return undefined
  }
  return mayBeSecret(text) ? undefined : text
}
