import { replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import type { Answer, Call, Handler } from '../handlers.js'

/** Asks the application on behalf of a connection, whose end leaves the answer without anybody. */
export async function ask(
  connection: Connection,
  handler: Handler,
  what: Pick<Call, 'data' | 'method' | 'name' | 'version'>,
): Promise<Answer> {
  const { node, grant, codec } = connection
  // One client must not take all the calls that a node may have under way.
  if (connection.asking >= node.limits.handlerCalls) {
    return { error: replyErrors.tooManyRequests }
  }
  connection.asking += 1
  try {
    return await handler({
      ...what,
      client: connection.id,
      user: grant.subject,
      identity: grant.identity,
      scope: grant.scopes.join(' '),
      protocol: codec.binary ? 'protobuf' : 'json',
      wanted: () => !connection.closed && node.hold.open,
    })
  } finally {
    connection.asking -= 1
  }
}
