/** Why a handler call failed. For the log; clients see an internal error. */
export type HandlerErrorCode = 'timeout' | 'status' | 'malformed' | 'withdrawn'

export class HandlerError extends Error {
  readonly code: HandlerErrorCode
  constructor(code: HandlerErrorCode, detail: string) {
    super(detail)
    this.name = 'HandlerError'
    this.code = code
  }
}
