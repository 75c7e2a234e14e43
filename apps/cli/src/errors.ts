/** Exit codes of the command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, refused: 3 } as const

/** The exit codes as `--help` shows them; a test compares them with docs/cli.md. */
export const exitCodesText = [
  `${exitCodes.ok} done`,
  `${exitCodes.failed} failed`,
  `${exitCodes.usage} wrong usage`,
  `${exitCodes.refused} refused, or closed by the server`,
].join('; ')

/**
 * - `usage`: the arguments are wrong
 * - `refused`: auth or a realtime node refused the request, or closed the connection for good
 * - `failed`: any other failure
 */
export type CliErrorCode = Exclude<keyof typeof exitCodes, 'ok'>

/** An error for the user: one line that says what is wrong and what to do. Never holds a secret. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode

  constructor(code: CliErrorCode, message: string) {
    super(message)
    this.code = code
  }

  get exitCode(): number {
    return exitCodes[this.code]
  }
}

/** An HTTP error status from auth or realtime. */
export class HttpError extends CliError {
  readonly status: number

  constructor(status: number, message: string) {
    super(status === 401 || status === 403 ? 'refused' : 'failed', message)
    this.status = status
  }
}
