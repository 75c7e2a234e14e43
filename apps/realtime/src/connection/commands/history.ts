import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { readPublications } from '../subscriptions/begin-result.js'
import { permits } from '../tokens.js'
import { failRead } from './fail-read.js'

/** `history`: the publications that a channel keeps, and the position at which its stream ends. */
export async function history(
  session: Session,
  id: number,
  { channel, limit = 0, since, reverse = false }: CommandBody<'history'>,
): Promise<void> {
  const { grant, node } = session
  if (!permits(grant, 'history', channel)) {
    return session.fail(id, replyErrors.permissionDenied)
  }
  const { isUnknown, historySize } = node.optionsOf(channel)
  if (isUnknown) {
    return session.fail(id, replyErrors.unknownChannel)
  }
  if (historySize === 0) {
    return session.fail(id, replyErrors.notAvailable)
  }
  const { offset = 0, epoch = '' } = since ?? {}
  try {
    const query = {
      limit: limit < 0 ? historySize : Math.min(limit, historySize),
      reverse,
      since: since === undefined || since === null ? undefined : { offset, epoch },
    }
    const read = await node.channels.history(channel, query, session.reader)
    if (typeof read === 'string') {
      return failRead(session, id, read)
    }
    const { position, publications } = read
    if (epoch !== '' && epoch !== position.epoch) {
      return session.fail(id, replyErrors.unrecoverablePosition)
    }
    session.reply(id, {
      history: { ...position, publications: readPublications(publications) },
    })
  } catch {
    session.fail(id, replyErrors.internal)
  }
}
