import { type CommandBody, encodePublication, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { permits } from '../tokens.js'

/** `publish`: the reply follows once Redis has the publication. A subscribed publisher gets it too. */
export async function publish(
  session: Session,
  id: number,
  body: CommandBody<'publish'>,
): Promise<void> {
  const { grant, node } = session
  const { channel } = body
  if (!permits(grant, 'publish', channel)) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  if (!node.optionsOf(channel).clientPublish) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  let publication: Buffer
  try {
    // Copy only these fields; others are not validated.
    const content = 'data' in body ? { data: body.data } : { b64: body.b64 }
    publication = encodePublication({ ...content, info: session.info })
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error
    }
    return session.fail(id, replyErrors.badRequest)
  }
  try {
    await node.channels.publish(channel, publication, node.tokens.permit(grant))
  } catch {
    return session.fail(id, replyErrors.internal)
  }
  session.reply(id, { publish: {} })
}
