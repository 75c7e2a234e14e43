import type { Reader } from '../node.js'
import type { Allowance } from './allowance.js'

/** A connection as its reads see it. */
interface ReadingConnection {
  readonly identity: string
  readonly subject: string
  readonly closed: boolean
}

/** Returns the reader of a connection: it takes its user's turn, and reads within the connection's rates. */
export function readerFor(connection: ReadingConnection, allowance: Allowance): Reader {
  return {
    name: JSON.stringify([connection.identity, connection.subject]),
    mayRead: () => !connection.closed && allowance.mayRead(),
    chargeRead: (bytes) => allowance.chargeRead(bytes),
  }
}
