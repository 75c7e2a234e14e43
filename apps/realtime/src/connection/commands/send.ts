import type { CommandBody } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { ask } from './ask.js'

/** `send`: told to the application's handler, if there is one. The client hears nothing of it. */
export async function send(connection: Connection, { data }: CommandBody<'send'>): Promise<void> {
  const { send: handler } = connection.node.handlers
  if (handler === undefined) {
    return
  }
  const answer = await ask(connection, handler, { data })
  if ('disconnect' in answer) {
    connection.end(answer.disconnect)
  }
}
