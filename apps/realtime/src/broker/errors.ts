/** `unreachable`: Redis cannot be reached at start. `away`: it was, and is not now. */
export type BrokerErrorCode = 'unreachable' | 'away'

export class BrokerError extends Error {
  readonly code: BrokerErrorCode
  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrokerError'
    this.code = code
  }
}
