/**
 * `unreachable`: Redis cannot be reached at start. `away`: it was, and is not now.
 * `partitions_mismatch`: the other nodes spread channels differently.
 */
export type BrokerErrorCode = 'unreachable' | 'away' | 'partitions_mismatch'

export class BrokerError extends Error {
  readonly code: BrokerErrorCode
  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrokerError'
    this.code = code
  }
}
