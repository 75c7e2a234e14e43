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
  | 'ttl_invalid'
  | 'token_not_found'
  | 'issued_before_in_future'
  | 'revocation_not_found'
  | 'bad_cursor'
  | 'node_not_joined'
  | 'node_replaced'
  | 'key_revoked'
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

/** A wrong registration code, after several for the same identity from the same address. */
export class TooManyWrongCodesError extends RegistryError {
  /** How long, in milliseconds. */
  readonly waitMs: number
  constructor(waitMs: number) {
    super(
      'too_many_wrong_codes',
      'the identity or its registration code is wrong, after several wrong codes for this identity from this address; wait',
    )
    this.name = 'TooManyWrongCodesError'
    this.waitMs = waitMs
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
    `another process has the name "${node}"; give each node a name of its own`,
  )
}
