import type { RegisteredIdentity } from '@portcullis/contracts/identities'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { Answer, CallApi } from '../identities/administrator.js'

/**
 * Auth's API for tests: JSON in, JSON out, the status left to the test. The bodies of the calls that
 * every story makes have the type of their success; a test that provokes an error looks at the status.
 */
export interface Api {
  (method: 'POST', path: '/v1/identities', body: unknown): Promise<Answer<RegisteredIdentity>>
  (method: 'POST', path: '/v1/tokens', body: unknown): Promise<Answer<TokenResponse>>
  (method: 'POST', path: '/v1/revocations', body: unknown): Promise<Answer<Receipt>>
  (method: string, path: string, body?: unknown): Promise<Answer<unknown>>
}

/** The same calls, with those types. */
export function typedApi(call: CallApi): Api {
  return call as Api
}
