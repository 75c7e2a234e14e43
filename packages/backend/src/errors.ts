import type { Receipt } from '@portcullis/contracts/revocations'

/**
 * - `invalid_client`: auth does not accept the identity and its registration code.
 * - `refused`: auth refused the request; `problem` has its code, such as `insufficient_scope`.
 * - `rate_limited`: too many requests; `retryAfterSeconds` says when to try again.
 * - `unavailable`: auth answered with 5xx; the same request may succeed later.
 * - `network`: auth cannot be reached.
 * - `timeout`: no response in time.
 * - `bad_answer`: the response is not one of auth; `authUrl` may be wrong.
 * - `incomplete`: a revocation has taken effect at auth, and was not confirmed by every node in time;
 *   `receipt` names them.
 */
export type BackendErrorCode =
  | 'invalid_client'
  | 'refused'
  | 'rate_limited'
  | 'unavailable'
  | 'network'
  | 'timeout'
  | 'bad_answer'
  | 'incomplete'

export interface BackendErrorDetails {
  authStatus?: number
  problem?: string
  retryAfterSeconds?: number
  receipt?: Receipt
  cause?: unknown
}

/** Thrown by every function of this package. Contains neither a token nor a registration code. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  readonly code: BackendErrorCode
  /**
   * HTTP status of auth's response; absent without a response. Not called `status`, which Express and
   * Fastify would send to the browser: a 401 there would mean that the user is signed out.
   */
  readonly authStatus?: number
  /** Auth's own code for the error. */
  readonly problem?: string
  readonly retryAfterSeconds?: number
  /** Only with the code `incomplete`: the newest receipt. */
  readonly receipt?: Receipt

  constructor(
    code: BackendErrorCode,
    message: string,
    { cause, ...details }: BackendErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, details)
  }
}
