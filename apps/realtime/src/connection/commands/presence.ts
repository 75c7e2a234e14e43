import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { permits } from '../tokens.js'
import { failRead } from './fail-read.js'

/** `presence`: the clients that are subscribed to a channel, on all nodes. */
export async function presence(
  session: Session,
  id: number,
  { channel }: CommandBody<'presence'>,
): Promise<void> {
  if (!mayRead(session, id, channel)) {
    return
  }
  try {
    const present = await session.node.channels.presence(channel, session.reader)
    if (typeof present === 'string') {
      return failRead(session, id, present)
    }
    const byClient = present.map((info) => [info.client, info] as const)
    session.reply(id, { presence: { presence: Object.fromEntries(byClient) } })
  } catch {
    session.fail(id, replyErrors.internal)
  }
}

/** `presence_stats`: the number of these clients and of their users. */
export async function presenceStats(
  session: Session,
  id: number,
  { channel }: CommandBody<'presence_stats'>,
): Promise<void> {
  if (!mayRead(session, id, channel)) {
    return
  }
  try {
    const stats = await session.node.channels.presenceStats(channel, session.reader)
    if (typeof stats === 'string') {
      return failRead(session, id, stats)
    }
    session.reply(id, { presence_stats: stats })
  } catch {
    session.fail(id, replyErrors.internal)
  }
}

/** Returns true when the client may read the channel's presence; otherwise replies with the error. */
function mayRead(session: Session, id: number, channel: string): boolean {
  const { grant, node } = session
  if (!permits(grant, 'presence', channel)) {
    session.fail(id, replyErrors.permissionDenied)
    return false
  }
  const { isUnknown, presence } = node.optionsOf(channel)
  if (isUnknown) {
    session.fail(id, replyErrors.unknownChannel)
    return false
  }
  if (!presence) {
    session.fail(id, replyErrors.notAvailable)
    return false
  }
  return true
}
