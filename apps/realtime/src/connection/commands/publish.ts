import { type CommandBody, encodePublication, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { permits } from '../tokens.js'

/** `publish`: the reply follows once Redis has the publication. A subscribed publisher gets it too. */
export async function publish(
  session: Session,
  id: number,
  { channel, data }: CommandBody<'publish'>,
): Promise<void> {
  const { grant, node } = session
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
  const publication = encodePublication({ data, info: session.info })
  try {
    await node.channels.publish(channel, publication, node.tokens.permit(grant))
  } catch {
    return session.fail(id, replyErrors.internal)
  }
  session.reply(id, { publish: {} })
}
