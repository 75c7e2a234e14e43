export type LocalErrorCode =
  | 'bad_arguments'
  | 'already_running'
  | 'port_taken'
  | 'redis_missing'
  | 'redis_unusable'
  | 'process_failed'
  | 'not_admitted'

/** A problem of this machine or of the command's options; `message` is one line that says what to change. */
export class LocalError extends Error {
  readonly code: LocalErrorCode
  /** The last lines of a process's log, shown below the message. */
  readonly details: readonly string[]

  constructor(code: LocalErrorCode, message: string, details: readonly string[] = []) {
    super(message)
    this.name = 'LocalError'
    this.code = code
    this.details = details
  }
}
