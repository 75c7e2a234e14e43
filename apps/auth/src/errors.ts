import type { AnswerableError } from '@portcullis/service'
import { KeySetError, type KeySetErrorCode } from './keys/index.js'
import { RegistryError, type RegistryErrorCode, RegistryLimitError } from './registry/index.js'

/** Codes of refused requests, besides those of the registry. */
export type AuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_target'
  | 'invalid_client_metadata'
  | 'invalid_redirect_uri'
  | 'method_not_allowed'
  | 'too_many_requests'
  | 'ttl_too_long'
  | 'upgrade_required'

export interface AuthErrorOptions {
  headers?: Readonly<Record<string, string>>
}

const statuses: Readonly<Record<AuthErrorCode, number>> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_scope: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_target: 400,
  invalid_client_metadata: 400,
  invalid_redirect_uri: 400,
  method_not_allowed: 405,
  too_many_requests: 429,
  ttl_too_long: 400,
  upgrade_required: 426,
}

/** Refuses a request. The message is sent to the caller, and says what to change. */
export class AuthError extends Error {
  readonly code: AuthErrorCode
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  constructor(code: AuthErrorCode, message: string, { headers = {} }: AuthErrorOptions = {}) {
    super(message)
    this.name = 'AuthError'
    this.code = code
    this.statusCode = statuses[code]
    this.headers = headers
  }
}

const registryStatuses: Readonly<Record<RegistryErrorCode, number>> = {
  registry_unavailable: 503,
  option_invalid: 500,
  partitions_mismatch: 500,
  identity_exists: 409,
  identity_not_found: 404,
  identity_suspended: 403,
  invalid_client: 401,
  too_many_codes: 409,
  code_not_found: 404,
  code_removed: 409,
  last_administrator: 409,
  ttl_invalid: 400,
  token_not_found: 404,
  issued_before_in_future: 400,
  revocation_not_found: 404,
  bad_cursor: 400,
  node_not_joined: 409,
  node_replaced: 409,
  node_name_taken: 409,
  too_many_tokens: 429,
  too_many_wrong_codes: 429,
  key_revoked: 503,
  parent_ended: 401,
  too_many_parents: 403,
  too_many_receivers: 409,
  receiver_not_found: 404,
}

const keySetStatuses: Readonly<Record<KeySetErrorCode, number>> = {
  registry_unavailable: 503,
  secret_missing: 503,
  secret_wrong: 503,
  key_unreadable: 503,
  key_not_found: 404,
  key_too_young: 409,
  too_many_keys: 409,
}

/** Returns the answer to an error on a route outside `/oauth/`; undefined to answer it unchanged. */
export function translate(error: unknown): AnswerableError | undefined {
  if (error instanceof KeySetError) {
    const statusCode = keySetStatuses[error.code]
    return statusCode < 500
      ? { statusCode, code: error.code, message: error.message }
      : unavailable('registry_unavailable', 'the signing keys cannot be read now; try again')
  }
  if (!(error instanceof RegistryError)) {
    return undefined
  }
  if (error.code === 'registry_unavailable') {
    return unavailable(error.code, 'the token registry cannot be asked now; try again')
  }
  if (error.code === 'key_revoked') {
    return unavailable(error.code, error.message)
  }
  // The caller's own token has ended since the caller was admitted.
  if (error.code === 'parent_ended') {
    return {
      statusCode: registryStatuses[error.code],
      code: 'invalid_token',
      message: error.message,
      headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' },
    }
  }
  if (error instanceof RegistryLimitError) {
    return {
      statusCode: registryStatuses[error.code],
      code: error.code,
      message: error.message,
      headers: { 'retry-after': String(Math.ceil(error.waitMs / 1000)) },
    }
  }
  return { statusCode: registryStatuses[error.code], code: error.code, message: error.message }
}

function unavailable(code: string, message: string): AnswerableError {
  return { statusCode: 503, code, message, headers: { 'retry-after': '1' } }
}
