import { permitsChannel } from '@portcullis/contracts/scopes'
import { type CommandBody, encodePublication, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'

/** `publish`: answered once Redis has taken it. The publisher gets it too when it is subscribed. */
export async function publish(
  connection: Connection,
  id: number,
  body: CommandBody<'publish'>,
): Promise<void> {
  const { grant, node } = connection
  const { channel } = body
  if (!permitsChannel(grant.scopes, grant.subject, 'publish', channel)) {
    return connection.fail(id, replyErrors.permissionDenied)
  }
  if (!node.optionsOf(channel).clientPublish) {
    return connection.fail(id, replyErrors.permissionDenied)
  }
  let publication: Buffer
  try {
    // Of a client's fields these alone: others would travel on unchecked.
    const content = 'data' in body ? { data: body.data } : { b64: body.b64 }
    publication = encodePublication({ ...content, info: connection.info })
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error
    }
    return connection.fail(id, replyErrors.badRequest)
  }
  try {
    await node.channels.publish(channel, publication, connection.permit)
  } catch {
    return connection.fail(id, replyErrors.internal)
  }
  connection.reply(id, { publish: {} })
}
