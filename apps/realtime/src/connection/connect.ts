import { type CommandBody, disconnectCodes, replyErrors } from '@portcullis/protocol'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'
import type { Connection } from './connection.js'

/**
 * `connect`: the client's first command. The upgrade was admitted already; a token in the command
 * that is another one than the upgrade's is taken as a refresh.
 */
export async function connect(
  connection: Connection,
  id: number,
  { token = '' }: CommandBody<'connect'>,
): Promise<void> {
  if (connection.state !== 'opened') {
    connection.end(disconnectCodes.badRequest)
    return
  }
  if (token !== '' && !connection.isAdmitted(token)) {
    connection.deciding()
    const outcome = await adoptToken(connection, token)
    if (outcome !== 'adopted') {
      refuse(connection, id, outcome)
      return
    }
  }
  const { node } = connection
  const { connectionsPerUser } = node.limits
  if (connectionsPerUser !== undefined && node.hub.countLike(connection) > connectionsPerUser) {
    connection.end(disconnectCodes.connectionLimit)
    return
  }
  connection.reply(id, {
    connect: {
      client: connection.id,
      version: node.version,
      expires: true,
      ttl: announcedTtl(connection.grant.expiresAt),
      ping: Math.max(1, Math.ceil(node.pingIntervalMs / 1000)),
      pong: true,
      session: connection.id,
      node: node.name,
    },
  })
  connection.decided(true)
}

function refuse(
  connection: Connection,
  id: number,
  outcome: 'closed' | 'inactive' | 'unavailable' | 'foreign',
): void {
  if (outcome === 'closed') return
  if (outcome === 'foreign') {
    connection.end(disconnectCodes.invalidToken)
    return
  }
  // 109 makes the client ask for a new token and come back: the one it kept was a stale one.
  connection.fail(id, outcome === 'inactive' ? replyErrors.tokenExpired : replyErrors.internal)
  connection.decided(false)
}
