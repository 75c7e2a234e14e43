import { defined } from '@portcullis/contracts/defined'
import type { CommandBody } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { callHandler } from './call-handler.js'

/** `send`: calls the application's handler, if there is one. The client gets no reply. */
export async function send(session: Session, body: CommandBody<'send'>): Promise<void> {
  const { send: handler } = session.node.handlers
  if (handler === undefined) {
    return
  }
  const answer = await callHandler(session, handler, defined({ data: body.data }))
  if ('disconnect' in answer) {
    session.end(answer.disconnect)
  }
}
