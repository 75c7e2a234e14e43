/** Asking again with the same request cannot help; the source stops for good. */
const terminalCodes = [
  /** The identity is unknown, or its registration code is wrong or has expired. */
  'invalid_client',
  /** The identity is suspended, as auth says it at `/v1/tokens`. */
  'suspended',
  /** The user or session that the token was for is revoked. */
  'revoked',
  /** The identity may not have the scope that was asked for. */
  'invalid_scope',
  /** The caller may not ask for tokens here; auth's word at `/oauth/token` for a suspended identity. */
  'unauthorized_client',
  /** The request is malformed, or the URL is not a token endpoint. */
  'invalid_request',
  /** Any other answer of 4xx, such as a backend's 401 when its session has ended. */
  'refused',
] as const

/** Worth asking again, later. */
const temporaryCodes = [
  /** No connection, or it broke. */
  'network',
  /** No answer in time. */
  'timeout',
  /** 5xx. */
  'unavailable',
  /** 429. */
  'rate_limited',
  /** A success that is not a token answer, such as the sign-in page of a hotel network. */
  'bad_answer',
] as const

export type TerminalTokenErrorCode = (typeof terminalCodes)[number]
export type TokenErrorCode = TerminalTokenErrorCode | (typeof temporaryCodes)[number]

/** No token was given. The message never contains a token or a registration code. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code: TokenErrorCode
  /** HTTP status of the answer; absent when there was none. */
  readonly status?: number
  /** From `Retry-After`: ask again no earlier than this, in Unix milliseconds. */
  readonly retryAt?: number

  constructor(
    code: TokenErrorCode,
    message: string,
    details: { status?: number; retryAt?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.status !== undefined) {
      this.status = details.status
    }
    if (details.retryAt !== undefined) {
      this.retryAt = details.retryAt
    }
  }

  /** Whether asking again is pointless. */
  get terminal(): boolean {
    return isTerminal(this.code)
  }
}

/** Whether `code` is an answer that does not change by asking again. */
export function isTerminal(code: string): code is TerminalTokenErrorCode {
  return terminalCodes.some((terminal) => terminal === code)
}
