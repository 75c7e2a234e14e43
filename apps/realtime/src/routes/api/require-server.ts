import { permits } from '@portcullis/contracts/scopes'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../refusals/refusal.js'

/**
 * Refuses tokens of users at the server API. A service shows its identity's own token, whose subject is
 * the identity, or one with the scope `server`. A preParsing hook: the token is known by then, and
 * nothing of the body has been read.
 *
 * A user's token must not get here: its holder would publish where clients may not, without a name, and
 * remove what others have published.
 */
export async function requireServer({ grant }: FastifyRequest): Promise<void> {
  const { identity, subject, scopes } = grant
  if (subject === identity || permits(scopes, 'server')) {
    return
  }
  throw new Refusal(
    403,
    'insufficient_scope',
    "the server API is not for a user's token: use a token of the identity itself, or one with the scope server",
    { 'www-authenticate': 'Bearer error="insufficient_scope", scope="server"' },
  )
}
