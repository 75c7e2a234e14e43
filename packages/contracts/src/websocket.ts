/** The WebSocket subprotocol that a client offers beside its token, and that the server selects. */
export const subprotocol = 'portcullis'

/**
 * Browsers cannot set headers on a WebSocket, so the token travels as the subprotocol
 * `bearer.<token>`.
 */
export const bearerSubprotocolPrefix = 'bearer.'

/** Close codes beside those of the client protocol. 4500 to 4999 tell the client not to reconnect. */
export const closeCodes = {
  /** The token was revoked. The client needs another token, which auth may refuse. */
  tokenRevoked: { code: 4500, reason: 'token revoked' },
  /** The node may have missed a revocation. The client reconnects, to any node. */
  leaseLost: { code: 4000, reason: 'lease lost' },
} as const
