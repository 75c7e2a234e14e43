/**
 * - `unreachable`: Redis cannot be reached at start.
 * - `away`: Redis does not answer now; the same call may work later.
 * - `partitions_mismatch`: the other nodes use another number of partitions.
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

/** Runs a call to Redis. @throws BrokerError away, when the call fails */
export async function orAway<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    throw new BrokerError('away', 'Redis did not answer', { cause: error })
  }
}
