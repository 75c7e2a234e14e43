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

/** What the registry refuses or cannot do. `code` is stable; the message says what to change. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode
  constructor(code: RegistryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RegistryError'
    this.code = code
  }
}

/** What may be tried again, after a wait. */
export class RegistryLimitError extends RegistryError {
  /** Milliseconds. */
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
      'the identity or its registration code is wrong, after several wrong codes for this identity from this address; wait',
      waitMs,
    )
    this.name = 'TooManyWrongCodesError'
  }
}

/** An identity has as many living tokens as it may have; the wait is until there is room for one. */
export class TooManyTokensError extends RegistryLimitError {
  constructor(identity: string, max: number, waitMs: number) {
    super(
      'too_many_tokens',
      `identity "${identity}" has ${max} tokens that have not expired, the most that it may have (MAX_TOKENS_PER_IDENTITY); use a token until it expires, or ask for shorter lifetimes; revoked tokens count until they expire`,
      waitMs,
    )
    this.name = 'TooManyTokensError'
  }
}

export function identityNotFound(identity: string): RegistryError {
  return new RegistryError(
    'identity_not_found',
    `there is no identity "${identity}"; register it first`,
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
    `this registration code of "${identity}" was removed or has expired, and is not added again`,
  )
}

export function lastAdministrator(identity: string): RegistryError {
  return new RegistryError(
    'last_administrator',
    `"${identity}" is the administrator that auth is set up with: it has to stay active, with the scope admin and a registration code (or keys) that does not expire; give it another code first, or set ADMIN_IDENTITY to another administrator`,
  )
}

export function parentEnded(): RegistryError {
  return new RegistryError(
    'parent_ended',
    'the calling token has ended, or ends within a second; get a new one',
  )
}

export function tooManyParents(): RegistryError {
  return new RegistryError(
    'too_many_parents',
    `the calling token has ${maxParents} parents, and none may have more; issue with one of its parents`,
  )
}

export function badCursor(): RegistryError {
  return new RegistryError(
    'bad_cursor',
    'the cursor is not one that a previous page gave; leave it out to start from the beginning',
  )
}

export function revocationNotFound(id: string): RegistryError {
  return new RegistryError(
    'revocation_not_found',
    `there is no revocation "${id}", or its receipt is no longer kept`,
  )
}

export function receiverNotFound(): RegistryError {
  return new RegistryError(
    'receiver_not_found',
    'there is no such event receiver; GET /v1/event-receivers has all of them',
  )
}

export function nodeNotJoined(node: string): RegistryError {
  return new RegistryError('node_not_joined', `node "${node}" has to say hello again`)
}

export function nodeReplaced(node: string): RegistryError {
  return new RegistryError(
    'node_replaced',
    `a later process has the name "${node}"; give each node a name of its own`,
  )
}

export function nodeNameTaken(node: string): RegistryError {
  return new RegistryError(
    'node_name_taken',
    `the name "${node}" is a node's of another identity; give this node another name`,
  )
}
