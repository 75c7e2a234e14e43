/** Close codes of our own, beside those of the client protocol. 4500 to 4999: do not come back. */
export const closeCodes = {
  /** The token was revoked; a new one is needed, and may be refused too. */
  tokenRevoked: { code: 4500, reason: 'token revoked' },
  /** The node may have missed a revocation; come back, to any node. */
  leaseLost: { code: 4000, reason: 'lease lost' },
} as const
