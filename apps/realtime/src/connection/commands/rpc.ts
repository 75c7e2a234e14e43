import { defined } from '@portcullis/contracts/defined'
import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { callHandler } from './call-handler.js'

/** `rpc`: the application's handler of the method replies. The handler decides who may call it. */
export async function rpc(
  session: Session,
  id: number,
  { method = '', data }: CommandBody<'rpc'>,
): Promise<void> {
  const handler = session.node.handlers.rpc(method)
  if (handler === undefined) {
    return session.fail(id, replyErrors.notAvailable)
  }
  const answer = await callHandler(session, handler, { method, ...defined({ data }) })
  if ('disconnect' in answer) {
    return session.end(answer.disconnect)
  }
  if ('error' in answer) {
    return session.fail(id, answer.error)
  }
  const { data: answered } = answer.result
  session.reply(id, {
    rpc: answered === undefined ? {} : { data: session.codec.dataValue(answered) },
  })
}
