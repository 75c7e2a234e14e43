import { type CommandBody, type Content, disconnectCodes, replyErrors } from '@portcullis/protocol'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'
import { ask } from './ask.js'
import type { Connection } from './connection.js'
import type { Handler } from './handlers.js'

/**
 * `connect`: the client's first command. The upgrade was admitted already; a token in the command
 * that is another one than the upgrade's is taken as a refresh.
 */
export async function connect(
  connection: Connection,
  id: number,
  { token = '', ...more }: CommandBody<'connect'>,
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
  const { connect: handler } = node.handlers
  // Without one nothing is awaited: commands of the same message may come right behind.
  const result = handler === undefined ? {} : await introduce(connection, id, handler, more)
  if (result === undefined) return
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
      ...(result.data === undefined ? {} : { data: connection.codec.dataOf(result.data) }),
    },
  })
  connection.decided(true)
}

/** Asks the application. Undefined: it has refused, and the client knows. */
async function introduce(
  connection: Connection,
  id: number,
  handler: Handler,
  { data, name, version }: CommandBody<'connect'>,
): Promise<{ data?: Content } | undefined> {
  connection.deciding()
  const says = {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  }
  const answer = await ask(connection, handler, { data, ...says })
  if (connection.closed) return undefined
  if ('result' in answer) return answer.result
  if ('disconnect' in answer) {
    connection.end(answer.disconnect)
    return undefined
  }
  connection.fail(id, answer.error)
  connection.decided(false)
  return undefined
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
