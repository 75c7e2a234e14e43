import { identityNamePattern } from '@portcullis/contracts/names'

/** A registration code has 43 of these, and each part of a token more; a UUID has 36, a `jti` fewer. */
const randomRun = /[A-Za-z0-9_-]{40}/

/** Whether a text that someone sent could be, or hold, a registration code or a token. */
export function mayBeSecret(text: string): boolean {
  return randomRun.test(text)
}

/**
 * A name that nothing has proven to be one, as far as it may be written down: people mistake the fields
 * of a form, and put a registration code or a token where a name belongs.
 */
export function shownName(text: unknown): string | undefined {
  if (typeof text !== 'string' || !identityNamePattern.test(text)) {
    return undefined
  }
  return mayBeSecret(text) ? undefined : text
}
