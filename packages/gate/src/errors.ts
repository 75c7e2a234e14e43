/** Why the gate refused a token. */
export type GateErrorCode =
  /** The request has no token. */
  | 'missing_token'
  /** The request has two tokens, or its syntax violates RFC 6750. */
  | 'invalid_request'
  /** Unknown, malformed, expired, revoked, or issued to a suspended identity; callers learn no more. */
  | 'invalid_token'
  /** The token is active and lacks the scope of the route. */
  | 'insufficient_scope'
  /** Auth does not answer, the revocation feed is not in sync, or the lease is out. */
  | 'auth_unavailable'
  /** The gate's own options are invalid; thrown at start only. */
  | 'bad_options'

/** An error of the gate. The message never contains a token or a registration code. */
export class GateError extends Error {
  readonly code: GateErrorCode
  constructor(code: GateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GateError'
    this.code = code
  }
}
