import { tokenIdPattern } from '@portcullis/contracts/names'
import type { Revoke, Selector } from '@portcullis/contracts/revocations'
import { AuthError } from '../../errors.js'
import type { Jwt } from '../../tokens/jwt.js'
import { verify } from '../../tokens/verify.js'

/**
 * Returns the selector of a request.
 *
 * @throws AuthError `invalid_request` when the request has no selector, or more than one
 */
export function selectorOf(jwt: Jwt, body: Revoke): Selector {
  const { jti, token = jti, cascade, identity, subject, label, all } = body
  const named = [body.token, jti, identity, all].filter((value) => value !== undefined).length
  if (named !== 1 || (subject !== undefined && label !== undefined)) {
    throw notOneSelector()
  }
  if (identity === undefined && (subject !== undefined || label !== undefined)) {
    throw new AuthError(
      'invalid_request',
      'subject and label need the identity that they belong to',
    )
  }
  if (cascade !== undefined && token === undefined) {
    throw new AuthError('invalid_request', 'cascade needs token or jti')
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
  const selected = { jti: tokenId(jwt, token) }
  return cascade === undefined ? selected : { ...selected, cascade }
}

function notOneSelector(): AuthError {
  return new AuthError(
    'invalid_request',
    'send exactly one selector: token or jti; identity; identity and subject; identity and label; or all (true)',
  )
}

/**
 * Returns the id of a token, sent as such or as a JWT, which may have expired. Errors never repeat
 * the text.
 */
function tokenId(jwt: Jwt, token: string): string {
  if (tokenIdPattern.test(token)) {
    return token
  }
  const claims = verify(jwt, token)
  if (claims === undefined) {
    throw new AuthError('invalid_request', 'token must be a token of this issuer, or its jti')
  }
  return claims.jti
}
