import { type Command, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'

/**
 * Answers commands that came too fast with 111, at which the client may try again later; `send` has no
 * answer and is dropped. Gives those that are taken nevertheless: a pong was asked for.
 */
export function refuse(connection: Connection, commands: readonly Command[]): Command[] {
  for (const command of commands) {
    if ('id' in command) {
      connection.fail(command.id, replyErrors.tooManyRequests)
    }
  }
  return commands.filter(({ method }) => method === 'pong')
}
