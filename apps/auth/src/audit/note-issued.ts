import type { TokenResponse } from '@portcullis/contracts/tokens'
import type { FastifyRequest } from 'fastify'

/** Scopes can be many; the registry has all of them as long as the token lives. */
const maxScopeLength = 256

/** Says for the audit log which token was issued. Its identity is the caller's. */
export function noteIssued(
  { audit }: FastifyRequest,
  { jti, scope }: Pick<TokenResponse, 'jti' | 'scope'>,
): void {
  audit.target.jti = jti
  audit.detail['scope'] =
    scope.length > maxScopeLength ? `${scope.slice(0, maxScopeLength)}…` : scope
}
