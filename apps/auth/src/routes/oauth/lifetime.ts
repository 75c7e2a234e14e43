import type { Identity } from '@portcullis/contracts/identities'
import type { TokenRequest } from '@portcullis/contracts/oauth'
import type { FastifyInstance } from 'fastify'

/** Returns the lifetime of a token in seconds: the identity's own, or less if the client asks for less. */
export function lifetimeOf(
  { defaultTtlSeconds }: FastifyInstance,
  { tokenTtlSeconds = defaultTtlSeconds }: Identity,
  { expires_in }: TokenRequest,
): number {
  return expires_in === undefined ? tokenTtlSeconds : Math.min(tokenTtlSeconds, Number(expires_in))
}
