import { permitsChannel } from '@portcullis/contracts/scopes'
import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'

/** `presence`: who is subscribed, on whatever node. */
export async function presence(
  connection: Connection,
  id: number,
  { channel }: CommandBody<'presence'>,
): Promise<void> {
  if (!mayAsk(connection, id, channel)) {
    return
  }
  try {
    const present = await connection.node.channels.presence(channel, connection.reader)
    if (typeof present === 'string') {
      return connection.failRead(id, present)
    }
    const byClient = present.map((info) => [info.client, info] as const)
    connection.reply(id, { presence: { presence: Object.fromEntries(byClient) } })
  } catch {
    connection.fail(id, replyErrors.internal)
  }
}

/** `presence_stats`: how many they are. */
export async function presenceStats(
  connection: Connection,
  id: number,
  { channel }: CommandBody<'presence_stats'>,
): Promise<void> {
  if (!mayAsk(connection, id, channel)) {
    return
  }
  try {
    const stats = await connection.node.channels.presenceStats(channel, connection.reader)
    if (typeof stats === 'string') {
      return connection.failRead(id, stats)
    }
    connection.reply(id, { presence_stats: stats })
  } catch {
    connection.fail(id, replyErrors.internal)
  }
}

function mayAsk(connection: Connection, id: number, channel: string): boolean {
  const { grant, node } = connection
  if (!permitsChannel(grant.scopes, grant.subject, 'presence', channel)) {
    connection.fail(id, replyErrors.permissionDenied)
    return false
  }
  if (!node.optionsOf(channel).presence) {
    connection.fail(id, replyErrors.notAvailable)
    return false
  }
  return true
}
