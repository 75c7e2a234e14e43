import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { ask } from './ask.js'

/** `rpc`: answered by the application's handler for the method. Who may call what, that one decides. */
export async function rpc(
  connection: Connection,
  id: number,
  { method = '', data }: CommandBody<'rpc'>,
): Promise<void> {
  const handler = connection.node.handlers.rpc(method)
  if (handler === undefined) {
    return connection.fail(id, replyErrors.methodNotFound)
  }
  const answer = await ask(connection, handler, { method, data })
  if ('disconnect' in answer) {
    return connection.end(answer.disconnect)
  }
  if ('error' in answer) {
    return connection.fail(id, answer.error)
  }
  const { data: content } = answer.result
  try {
    connection.reply(id, {
      rpc: content === undefined ? {} : { data: connection.codec.dataOf(content) },
    })
  } catch (error) {
    // Nested deeper than JSON can be written.
    if (!(error instanceof RangeError)) {
      throw error
    }
    connection.fail(id, replyErrors.internal)
  }
}
