import { covers, permits, type ServiceScope, scopesToGive } from '@portcullis/contracts/scopes'
import { AuthError } from '../errors.js'
import type { Authority } from './callers.js'

/** Who makes a request, and what it may do. */
export interface Caller {
  identity: string
  subject: string
  /** Scopes of the token that it showed, or of its identity when it showed its credentials. */
  scopes: readonly string[]
  /** Absent when it showed its credentials. */
  token?: {
    jti: string
    labels: readonly string[]
    parents: readonly string[]
    issuedUs: number
    expiresAt: number
  }
}

/** A caller that has shown a token, and may act on it until it ends. */
export type AdmittedCaller = Required<Caller> & Authority

/**
 * Refuses a caller that has none of these scopes.
 *
 * @throws AuthError `insufficient_scope`, naming the first of them (RFC 6750 §3.1)
 */
export function requireScope(caller: Caller, anyOf: readonly ServiceScope[]): void {
  if (anyOf.some((scope) => permits(caller.scopes, scope))) {
    return
  }
  const wanted = anyOf[0] ?? 'admin'
  throw new AuthError('insufficient_scope', `this needs a token with the scope ${wanted}`, {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${wanted}"` },
  })
}

/**
 * Refuses a caller that would give, or gain by an identity that it changes, more than its own token
 * allows: nobody lifts himself.
 *
 * @param identity - that has the scopes, or is to have them; absent where it has no name yet
 * @throws AuthError `insufficient_scope`
 */
export function requireCovered(caller: Caller, scopes: readonly string[], identity?: string): void {
  const given = scopesToGive(caller, identity)
  const beyond = scopes.find((scope) => !covers(given, scope))
  if (beyond === undefined) {
    return
  }
  throw new AuthError(
    'insufficient_scope',
    `the scope ${beyond} is beyond those of your token; only someone who has it can do this`,
    { headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${beyond}"` } },
  )
}
