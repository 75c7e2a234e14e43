import { closeCodes } from '@portcullis/contracts/websocket'
import type { TokenError } from './errors.js'

/**
 * Why the user is signed out:
 * - `revoked`: the token was revoked (close code 4500).
 * - `invalid_token`: the server accepts no token of this connection any more (3500).
 * - `disconnected`: the application disconnected the user for good (3503, or a code of its own from
 *   4501 to 4999).
 * - `refused`: the token endpoint gives this user no more tokens, for example with 401.
 */
export type SignedOutReason = 'revoked' | 'invalid_token' | 'disconnected' | 'refused'

export interface SignedOut {
  reason: SignedOutReason
  /** For logs: the reason of the close, or the message of the error. Contains no token. */
  message: string
  /** Close code of the WebSocket; absent when `reason` is `refused`. */
  code?: number
  /** Error of the token source; only when `reason` is `refused`. */
  error?: TokenError
}

/** The client protocol's "invalid token". */
export const invalidToken = 3500

/** The client protocol's "force disconnect". */
const forceDisconnect = 3503

/** Returns how a close by the server signs the user out, or undefined if it does not. */
export function signedOutByClose(code: number, message: string): SignedOut | undefined {
  const reason = reasonOf(code)
  return reason === undefined ? undefined : { reason, message, code }
}

function reasonOf(code: number): SignedOutReason | undefined {
  if (code === closeCodes.tokenRevoked.code) {
    return 'revoked'
  }
  if (code === invalidToken) {
    return 'invalid_token'
  }
  return code === forceDisconnect || (code > 4500 && code < 5000) ? 'disconnected' : undefined
}

/** Returns how an error of the token source signs the user out, or undefined if it does not. */
export function signedOutByError(error: TokenError): SignedOut | undefined {
  return endsSession(error) ? { reason: 'refused', message: error.message, error } : undefined
}

function endsSession({ code, status, terminal }: TokenError): boolean {
  if (code === 'invalid_request' || code === 'invalid_scope') {
    return false
  }
  // A 404, for example, is a wrong address of the endpoint, not the end of a session.
  return code === 'refused' ? [undefined, 401, 403].includes(status) : terminal
}
