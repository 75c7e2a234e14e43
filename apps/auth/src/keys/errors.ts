export type KeySetErrorCode =
  | 'registry_unavailable'
  | 'secret_missing'
  | 'secret_wrong'
  | 'key_unreadable'
  | 'key_not_found'
  | 'key_too_young'
  | 'too_many_keys'

/** The signing keys cannot be used. `code` is stable; the message says what to do. */
export class KeySetError extends Error {
  readonly code: KeySetErrorCode
  constructor(code: KeySetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KeySetError'
    this.code = code
  }
}

export function unreadable(kid: string): KeySetError {
  return new KeySetError(
    'key_unreadable',
    `the stored signing key ${kid} is damaged; restore it from a backup of Redis, or remove it to get a new one`,
  )
}
