/** Why a token was not admitted. Both `invalid_token` and `auth_unavailable` admit nothing. */
export type GateErrorCode =
  /** No token came with the request. */
  | 'missing_token'
  /** The token was sent twice, or not in the form that RFC 6750 asks for. */
  | 'invalid_request'
  /** Unknown, malformed, expired, revoked, or of a suspended identity; which one is not told. */
  | 'invalid_token'
  /** A good token that lacks the scope of the route. */
  | 'insufficient_scope'
  /** Auth cannot be asked, or the revocation feed is not in sync: nothing is known, so no. */
  | 'auth_unavailable'
  /** The gate's own options cannot be used; thrown at start only. */
  | 'bad_options'

/** What the gate throws. The message never holds a token or a registration code. */
export class GateError extends Error {
  readonly code: GateErrorCode
  constructor(code: GateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GateError'
    this.code = code
  }
}
