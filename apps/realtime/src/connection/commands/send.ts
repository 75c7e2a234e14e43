import type { CommandBody } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { callHandler } from './call-handler.js'

/** `send`: calls the application's handler, if there is one. The client gets no reply. */
export async function send(session: Session, { data }: CommandBody<'send'>): Promise<void> {
  const { send: handler } = session.node.handlers
  if (handler === undefined) {
    return
  }
  const answer = await callHandler(session, handler, { data })
  if ('disconnect' in answer) {
    session.end(answer.disconnect)
  }
}
