import { permitsChannel } from '@portcullis/contracts/scopes'
import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { readPublication } from './subscribe.js'

/** `history`: publications that a channel keeps, and where its stream ends. */
export async function history(
  connection: Connection,
  id: number,
  { channel, limit = 0, since, reverse = false }: CommandBody<'history'>,
): Promise<void> {
  const { grant, node } = connection
  if (!permitsChannel(grant.scopes, grant.subject, 'history', channel)) {
    return connection.fail(id, replyErrors.permissionDenied)
  }
  const { historySize } = node.optionsOf(channel)
  if (historySize === 0) {
    return connection.fail(id, replyErrors.notAvailable)
  }
  const { offset = 0, epoch = '' } = since ?? {}
  try {
    const query = {
      limit: limit < 0 ? historySize : Math.min(limit, historySize),
      reverse,
      since: since === undefined || since === null ? undefined : { offset, epoch },
    }
    const read = await node.channels.history(channel, query, connection.reader)
    if (typeof read === 'string') {
      return connection.failRead(id, read)
    }
    const { position, publications } = read
    if (epoch !== '' && epoch !== position.epoch) {
      return connection.fail(id, replyErrors.unrecoverablePosition)
    }
    connection.reply(id, {
      history: { ...position, publications: publications.flatMap(readPublication) },
    })
  } catch {
    connection.fail(id, replyErrors.internal)
  }
}
