/** Why the server ended a subscription. A client subscribes again from 2500 on, and not below. */
export const unsubscribeCodes = {
  serverUnsubscribe: { code: 2000, reason: 'server unsubscribe' },
  tokenRevoked: { code: 2001, reason: 'token revoked' },
  insufficientState: { code: 2500, reason: 'insufficient state' },
  expired: { code: 2501, reason: 'subscription expired' },
} as const

/** The code and reason of an unsubscribe push. */
export interface Unsubscribe {
  readonly code: number
  readonly reason: string
}
