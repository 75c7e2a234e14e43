export type KeySetErrorCode =
  | 'registry_unavailable'
  | 'secret_missing'
  | 'secret_wrong'
  | 'key_unreadable'

/** The signing keys cannot be used. `code` is stable; the message says what to change. */
export class KeySetError extends Error {
  readonly code: KeySetErrorCode
  constructor(code: KeySetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KeySetError'
    this.code = code
  }
}
