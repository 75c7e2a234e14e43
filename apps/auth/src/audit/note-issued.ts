import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { FastifyRequest } from 'fastify'

/** A longer scope is cut; the registry has all of it while the token lives. */
const maxScopeLength = 256

/** Notes for the audit log which token was issued. Its identity is the caller's. */
export function noteIssued(
  { audit }: FastifyRequest,
  { jti, scope }: Pick<TokenResponse, 'jti' | 'scope'>,
): void {
  audit.target.jti = jti
  audit.detail['scope'] =
    scope.length > maxScopeLength ? `${scope.slice(0, maxScopeLength)}…` : scope
}
