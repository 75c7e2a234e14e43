import type { Connection } from '../connection.js'

/** `closed`: the connection ended meanwhile. `foreign`: of another identity or subject. */
export type AdoptOutcome = 'adopted' | 'closed' | 'inactive' | 'unavailable' | 'foreign'

/** Asks auth about a further token, and if it is one of the same identity and subject stands on it. */
export async function adoptToken(connection: Connection, token: string): Promise<AdoptOutcome> {
  const grant = await connection.node.tokens.introspect(token)
  if (connection.closed) {
    return 'closed'
  }
  if (typeof grant === 'string') {
    return grant
  }
  if (grant.identity !== connection.identity || grant.subject !== connection.subject) {
    return 'foreign'
  }
  connection.standOn(grant)
  return connection.closed ? 'closed' : 'adopted'
}
