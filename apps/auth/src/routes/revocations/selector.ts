import {
  IdentityName,
  Label,
  Milliseconds,
  Subject,
  TokenId,
  TokenText,
} from '@portcullis/contracts/names'
import type { Selector } from '@portcullis/contracts/revocations'
import { ReplicaCount } from '@portcullis/contracts/revocations'
import { type Static, Type } from '@sinclair/typebox'
import { AuthError } from '../../errors.js'
import type { Jwt } from '../../tokens/jwt.js'
import { verify } from '../../tokens/verify.js'

/**
 * `POST /v1/revocations`, contracts' `Revoke` with its selectors side by side: a union's error says
 * only that no member fits, `selector` says which one to send.
 */
export const RevokeBody = Type.Object(
  {
    token: Type.Optional(TokenText),
    cascade: Type.Optional(Type.Literal(true)),
    identity: Type.Optional(IdentityName),
    subject: Type.Optional(Subject),
    label: Type.Optional(Label),
    all: Type.Optional(Type.Literal(true)),
    issuedBefore: Type.Optional(Milliseconds),
    reason: Type.Optional(Type.String({ maxLength: 256 })),
    dryRun: Type.Optional(Type.Boolean()),
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
    replicas: Type.Optional(ReplicaCount),
  },
  { additionalProperties: false },
)
export type RevokeBody = Static<typeof RevokeBody>

/**
 * The one selector that the body names.
 *
 * @throws AuthError `invalid_request` when it names none, or more than one
 */
export function selector(jwt: Jwt, body: RevokeBody): Selector {
  const { token, cascade, identity, subject, label, all } = body
  const named = [token, identity, all].filter((value) => value !== undefined).length
  if (named !== 1 || (subject !== undefined && label !== undefined)) {
    throw notOne()
  }
  if (identity === undefined && (subject !== undefined || label !== undefined)) {
    throw new AuthError('invalid_request', 'subject and label need the identity that they are of')
  }
  if (cascade !== undefined && token === undefined) {
    throw new AuthError('invalid_request', 'cascade needs the token whose issued tokens it is for')
  }
  if (identity !== undefined) {
    if (subject !== undefined) {
      return { identity, subject }
    }
    return label === undefined ? { identity } : { identity, label }
  }
  if (token === undefined) {
    return { all: true }
  }
  const jti = tokenId(jwt, token)
  return cascade === undefined ? { jti } : { jti, cascade }
}

function notOne(): AuthError {
  return new AuthError(
    'invalid_request',
    'name exactly one: token; identity; identity and subject; identity and label; or all (true)',
  )
}

/** A token's id, or that of a JWT of ours, which may have expired. Never repeats what was sent. */
function tokenId(jwt: Jwt, token: string): string {
  if (tokenIdPattern.test(token)) {
    return token
  }
  const claims = verify(jwt, token, { allowExpired: true })
  if (claims === undefined) {
    throw new AuthError('invalid_request', 'token must be a token of this issuer, or its jti')
  }
  return claims.jti
}

const tokenIdPattern = new RegExp(TokenId.pattern ?? '')
