import type { RegisteredIdentity } from '@portcullis/contracts/identities'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { Answer, CallApi } from '../identities/administrator.js'

/**
 * Calls auth's API with JSON, and does not throw for an error status. Bodies of the usual calls have the type
 * of a success; a test that provokes an error checks the status.
 */
export interface Api {
  (method: 'POST', path: '/v1/identities', body: unknown): Promise<Answer<RegisteredIdentity>>
  (method: 'POST', path: '/v1/tokens', body: unknown): Promise<Answer<TokenResponse>>
  (method: 'POST', path: '/v1/revocations', body: unknown): Promise<Answer<Receipt>>
  (method: string, path: string, body?: unknown): Promise<Answer<unknown>>
}

/** Returns the same function with those types. */
export function typedApi(call: CallApi): Api {
  return call as Api
}
