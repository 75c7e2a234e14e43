import { permits } from '@portcullis/contracts/scopes'
import type { preParsingHookHandler } from 'fastify'
import { Refusal } from '../refusals/refusal.js'

/**
 * Refuses users' tokens at the server API: a user could publish where clients may not, without a
 * name, and delete other users' publications. A service presents its identity's own token, whose
 * subject is the identity, or a token with the scope `server`.
 *
 * A preParsing hook: the token is known by then, and the body has not been read.
 */
export const requireServer: preParsingHookHandler = ({ grant }, _reply, _body, done) => {
  const { identity, subject, scopes } = grant
  if (subject === identity || permits(scopes, 'server')) {
    done()
    return
  }
  done(
    new Refusal(
      403,
      'insufficient_scope',
      "the server API does not accept a user's token; use a token of the identity itself, or one with the scope server",
      { 'www-authenticate': 'Bearer error="insufficient_scope", scope="server"' },
    ),
  )
}
