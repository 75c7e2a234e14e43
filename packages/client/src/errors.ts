/** Errors that the same request would get again; the source stops. */
const terminalCodes = [
  /** The identity is unknown, or its registration code is wrong or has expired. */
  'invalid_client',
  /** The identity is suspended (error of `/v1/tokens`). */
  'suspended',
  /** The user or session is revoked (error of an application's backend). */
  'revoked',
  /** The identity does not have the requested scope. */
  'invalid_scope',
  /** The client may not request tokens, or its identity is suspended (error of `/oauth/token`). */
  'unauthorized_client',
  /** The request is malformed, or the URL is not a token endpoint. */
  'invalid_request',
  /** Any other 4xx response, such as a backend's 401 for an expired session. */
  'refused',
] as const

/** Errors that a later request may not get. */
const temporaryCodes = [
  /** The connection failed. */
  'network',
  /** No response in time. */
  'timeout',
  /** 5xx. */
  'unavailable',
  /** 429. */
  'rate_limited',
  /** A successful response without a token, such as the sign-in page of a hotel network. */
  'bad_answer',
] as const

export type TerminalTokenErrorCode = (typeof terminalCodes)[number]
export type TokenErrorCode = TerminalTokenErrorCode | (typeof temporaryCodes)[number]

/** Thrown when there is no token. The message never contains a token or a registration code. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code: TokenErrorCode
  /** HTTP status of the response; absent without a response. */
  readonly status?: number
  /** Unix milliseconds of `Retry-After`; no earlier request is sent. */
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

  /** True if the same request would fail again. */
  get terminal(): boolean {
    return isTerminal(this.code)
  }
}

/** Returns true if `code` is that of a terminal error. */
export function isTerminal(code: string): code is TerminalTokenErrorCode {
  return terminalCodes.some((terminal) => terminal === code)
}
