import { maxParents } from '@portcullis/contracts/names'

export type RegistryErrorCode =
  | 'registry_unavailable'
  | 'option_invalid'
  | 'partitions_mismatch'
  | 'identity_exists'
  | 'identity_not_found'
  | 'identity_suspended'
  | 'invalid_client'
  | 'too_many_codes'
  | 'code_not_found'
  | 'code_removed'
  | 'last_administrator'
  | 'ttl_invalid'
  | 'token_not_found'
  | 'issued_before_in_future'
  | 'revocation_not_found'
  | 'bad_cursor'
  | 'node_not_joined'
  | 'node_replaced'
  | 'node_name_taken'
  | 'key_revoked'
  | 'parent_ended'
  | 'too_many_parents'
  | 'too_many_tokens'
  | 'too_many_wrong_codes'
  | 'too_many_receivers'
  | 'receiver_not_found'

/**
 * The registry refuses a request or cannot serve it. `code` is stable; the message says what to do.
 */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode
  constructor(code: RegistryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RegistryError'
    this.code = code
  }
}

/** A limit was reached; the request may be repeated after `waitMs`. */
export class RegistryLimitError extends RegistryError {
  readonly waitMs: number
  constructor(code: RegistryErrorCode, message: string, waitMs: number) {
    super(code, message)
    this.name = 'RegistryLimitError'
    this.waitMs = waitMs
  }
}

/** A wrong registration code, after several for the same identity from the same address. */
export class TooManyWrongCodesError extends RegistryLimitError {
  constructor(waitMs: number) {
    super(
      'too_many_wrong_codes',
      'the identity or the registration code is wrong, and this address has sent several wrong codes for this identity; wait before the next attempt',
      waitMs,
    )
    this.name = 'TooManyWrongCodesError'
  }
}

/**
 * An identity has as many live tokens as it may have. `waitMs` is the time until one of them
 * expires.
 */
export class TooManyTokensError extends RegistryLimitError {
  constructor(identity: string, max: number, waitMs: number) {
    super(
      'too_many_tokens',
      `identity "${identity}" has ${max} tokens that have not expired, the limit of MAX_TOKENS_PER_IDENTITY; use each token until it expires, or request shorter lifetimes; revoked tokens count until they expire`,
      waitMs,
    )
    this.name = 'TooManyTokensError'
  }
}

export function identityNotFound(identity: string): RegistryError {
  return new RegistryError(
    'identity_not_found',
    `identity "${identity}" does not exist; register it first`,
  )
}

export function identitySuspended(identity: string): RegistryError {
  return new RegistryError(
    'identity_suspended',
    `identity "${identity}" is suspended; resume it first`,
  )
}

export function codeRemoved(identity: string): RegistryError {
  return new RegistryError(
    'code_removed',
    `this registration code of "${identity}" was removed or has expired, and cannot be added again; choose another code`,
  )
}

export function lastAdministrator(identity: string): RegistryError {
  return new RegistryError(
    'last_administrator',
    `"${identity}" is the administrator set in ADMIN_IDENTITY: it must stay active, with the scope admin and a registration code (or keys) that does not expire; add another code first, or set ADMIN_IDENTITY to another administrator`,
  )
}

export function parentEnded(): RegistryError {
  return new RegistryError(
    'parent_ended',
    'the calling token is no longer active, or expires within a second; get a new token',
  )
}

export function tooManyParents(): RegistryError {
  return new RegistryError(
    'too_many_parents',
    `the calling token has ${maxParents} parents, the maximum; issue with one of its parents instead`,
  )
}

export function badCursor(): RegistryError {
  return new RegistryError(
    'bad_cursor',
    'the cursor was not returned by a previous page of this list; leave it out to start from the beginning',
  )
}

export function revocationNotFound(id: string): RegistryError {
  return new RegistryError(
    'revocation_not_found',
    `revocation "${id}" does not exist, or its receipt has expired`,
  )
}

export function receiverNotFound(): RegistryError {
  return new RegistryError(
    'receiver_not_found',
    'the event receiver does not exist; GET /v1/event-receivers lists all of them',
  )
}

export function nodeNotJoined(node: string): RegistryError {
  return new RegistryError('node_not_joined', `node "${node}" has not joined; send hello again`)
}

export function nodeReplaced(node: string): RegistryError {
  return new RegistryError(
    'node_replaced',
    `another process has joined later under the name "${node}"; give each node its own name`,
  )
}

export function nodeNameTaken(node: string): RegistryError {
  return new RegistryError(
    'node_name_taken',
    `the node name "${node}" belongs to another identity; choose another name`,
  )
}
