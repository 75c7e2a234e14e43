/** Why a handler has given no answer. For the log: a client learns that it was an internal error. */
export type HandlerErrorCode = 'timeout' | 'status' | 'malformed' | 'withdrawn'

export class HandlerError extends Error {
  readonly code: HandlerErrorCode
  constructor(code: HandlerErrorCode, detail: string) {
    super(detail)
    this.name = 'HandlerError'
    this.code = code
  }
}
