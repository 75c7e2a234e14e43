import { defined } from '@portcullis/contracts/defined'
import {
  type CommandBody,
  encodePublication,
  type Publication,
  replyErrors,
} from '@portcullis/protocol'
import { isKept } from '../../hub/namespaces.js'
import type { Handler } from '../handlers.js'
import type { PublishOptions } from '../node.js'
import type { Session } from '../session.js'
import { permits } from '../tokens.js'
import { callHandler } from './call-handler.js'

type Body = CommandBody<'publish'>

/** `publish`: the reply follows once Redis has the publication. A subscribed publisher gets it too. */
export async function publish(session: Session, id: number, body: Body): Promise<void> {
  const { grant, node } = session
  const { channel, data } = body
  if (!permits(grant, 'publish', channel)) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  const { isUnknown, clientPublish } = node.optionsOf(channel)
  if (isUnknown) {
    return session.fail(id, replyErrors.unknownChannel)
  }
  if (!clientPublish) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  const handler = node.handlers.publish(channel)
  if (handler !== undefined) {
    return publishAsAnswered(session, id, body, handler)
  }
  await write(session, id, channel, { data })
}

/** Publishes what the application's handler answers, unless it refuses. */
async function publishAsAnswered(
  session: Session,
  id: number,
  { channel, data }: Body,
  handler: Handler,
): Promise<void> {
  const answer = await callHandler(session, handler, { channel, data })
  // A connection that has ended publishes nothing, whatever ended it.
  if (session.closed) {
    return
  }
  if ('disconnect' in answer) {
    return session.end(answer.disconnect)
  }
  if ('error' in answer) {
    return session.fail(id, answer.error)
  }
  // A refresh may have changed the connection's scopes while the handler was asked.
  if (!permits(session.grant, 'publish', channel)) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  const { data: replaced = data, tags, skipHistory, idempotencyKey, version } = answer.result
  if (version !== undefined && !isKept(session.node.optionsOf(channel), skipHistory)) {
    return session.fail(id, replyErrors.notAvailable)
  }
  const options = defined({ skipHistory, idempotencyKey, version })
  await write(session, id, channel, { data: replaced, ...defined({ tags }) }, options)
}

async function write(
  session: Session,
  id: number,
  channel: string,
  content: Pick<Publication, 'data' | 'tags'>,
  options?: PublishOptions,
): Promise<void> {
  const { grant, node, info } = session
  const publication = encodePublication({ ...content, info })
  try {
    await node.channels.publish(channel, publication, node.tokens.permit(grant), options)
  } catch {
    return session.fail(id, replyErrors.internal)
  }
  session.reply(id, { publish: {} })
}
