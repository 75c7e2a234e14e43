/** How a command ends. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, refused: 3 } as const

/** The same in words, for `--help`; docs/cli.md has them too. */
export const exitCodesText = [
  `${exitCodes.ok} done`,
  `${exitCodes.failed} failed`,
  `${exitCodes.usage} the command line is wrong`,
  `${exitCodes.refused} refused, or closed by the server`,
].join('; ')

/**
 * - `usage`: the command line is wrong
 * - `refused`: auth or a realtime node said no, or closed the connection for good
 * - `failed`: anything else
 */
export type CliErrorCode = Exclude<keyof typeof exitCodes, 'ok'>

/** One line for the person at the terminal, saying what to do. Never holds a secret. */
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

/** A service answered, and not with a success. */
export class HttpError extends CliError {
  readonly status: number

  constructor(status: number, message: string) {
    super(status === 401 || status === 403 ? 'refused' : 'failed', message)
    this.status = status
  }
}
