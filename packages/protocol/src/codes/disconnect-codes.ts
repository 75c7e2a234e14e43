import { closeCodes } from '@portcullis/contracts/websocket'

/** A WebSocket close code and its reason, which a close frame limits to 123 bytes (RFC 6455 §5.5). */
export interface Disconnect {
  readonly code: number
  readonly reason: string
}

/** Returns true when a reason fits into a close frame. A socket throws when it has to send a longer one. */
export function isCloseReason(reason: string): boolean {
  return Buffer.byteLength(reason) <= 123
}

/** The close codes that the server may send, besides those of RFC 6455 §7.4.1. */
export const disconnectCodes = {
  connectionClosed: { code: 3000, reason: 'connection closed' },
  shutdown: { code: 3001, reason: 'shutdown' },
  serverError: { code: 3004, reason: 'internal server error' },
  expired: { code: 3005, reason: 'connection expired' },
  subscriptionExpired: { code: 3006, reason: 'subscription expired' },
  slow: { code: 3008, reason: 'slow' },
  writeError: { code: 3009, reason: 'write error' },
  insufficientState: { code: 3010, reason: 'insufficient state' },
  forceReconnect: { code: 3011, reason: 'force reconnect' },
  noPong: { code: 3012, reason: 'no pong' },
  tooManyRequests: { code: 3013, reason: 'too many requests' },
  stateInvalidated: { code: 3014, reason: 'state invalidated' },
  invalidToken: { code: 3500, reason: 'invalid token' },
  badRequest: { code: 3501, reason: 'bad request' },
  stale: { code: 3502, reason: 'stale' },
  forceNoReconnect: { code: 3503, reason: 'force disconnect' },
  connectionLimit: { code: 3504, reason: 'connection limit' },
  channelLimit: { code: 3505, reason: 'channel limit' },
  inappropriateProtocol: { code: 3506, reason: 'inappropriate protocol' },
  permissionDenied: { code: 3507, reason: 'permission denied' },
  notAvailable: { code: 3508, reason: 'not available' },
  ...closeCodes,
} as const satisfies Record<string, Disconnect>

/** Returns true when a client does not reconnect after this close code: 3500 to 3999, 4500 to 4999. */
export function isTerminal(code: number): boolean {
  return (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000)
}
