import { covers, permits, type ServiceScope, scopesToGive } from '@portcullis/contracts/scopes'
import { AuthError } from '../errors.js'
import type { Authority } from './callers.js'

/** The identity and subject that make a request, and their scopes. */
export interface Caller {
  identity: string
  subject: string
  /** Scopes of the caller's token; of its identity if the caller used the identity's credentials. */
  scopes: readonly string[]
  /** Absent if the caller used the identity's credentials. */
  token?: {
    jti: string
    labels: readonly string[]
    parents: readonly string[]
    issuedUs: number
    expiresAt: number
  }
}

/** A caller with a token, which may act until the token ends. */
export type AdmittedCaller = Required<Caller> & Authority

/**
 * Refuses a caller without any of these scopes.
 *
 * @throws AuthError `insufficient_scope`, naming the first of the scopes (RFC 6750 §3.1)
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
 * Refuses a caller that would grant an identity scopes beyond its own, or control an identity that
 * has such scopes. Otherwise a caller could raise its own scopes.
 *
 * @param identity - the identity with the scopes; absent when it has no name yet
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
    `the scope ${beyond} is beyond those of your token; use a token that has it`,
    { headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${beyond}"` } },
  )
}
