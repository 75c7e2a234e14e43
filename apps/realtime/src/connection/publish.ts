import { permitsChannel } from '@portcullis/contracts'
import { type CommandBody, encodePublication, replyErrors } from '@portcullis/protocol'
import type { Connection } from './connection.js'

/** `publish`: answered once Redis has taken it. The publisher gets it too when it is subscribed. */
export async function publish(
  connection: Connection,
  id: number,
  { channel, data }: CommandBody<'publish'>,
): Promise<void> {
  const { grant, node } = connection
  if (!permitsChannel(grant.scopes, grant.subject, 'publish', channel)) {
    return connection.fail(id, replyErrors.permissionDenied)
  }
  if (!node.optionsOf(channel).clientPublish) {
    return connection.fail(id, replyErrors.permissionDenied)
  }
  let publication: Buffer
  try {
    publication = encodePublication({ data, info: connection.info })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return connection.fail(id, replyErrors.badRequest)
  }
  try {
    await node.channels.publish(channel, publication)
  } catch {
    return connection.fail(id, replyErrors.internal)
  }
  connection.reply(id, { publish: {} })
}
