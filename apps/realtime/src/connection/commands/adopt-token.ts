import type { Session } from '../session.js'
import type { NoGrant } from '../tokens.js'

/** `closed`: the connection ended meanwhile. `foreign`: the token has another identity or subject. */
export type AdoptOutcome = 'adopted' | 'closed' | 'foreign' | NoGrant

/** Asks auth about a token, and uses it for the connection if it has the same identity and subject. */
export async function adoptToken(session: Session, token: string): Promise<AdoptOutcome> {
  const grant = await session.node.tokens.introspect(token)
  if (session.closed) {
    return 'closed'
  }
  if (typeof grant === 'string') {
    return grant
  }
  if (grant.identity !== session.identity || grant.subject !== session.subject) {
    return 'foreign'
  }
  session.useGrant(grant)
  return session.closed ? 'closed' : 'adopted'
}
