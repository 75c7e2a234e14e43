import { permitsChannel } from '@portcullis/contracts/scopes'
import {
  type CommandBody,
  disconnectCodes,
  replyErrors,
  unsubscribeCodes,
} from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'

/**
 * `refresh`: the connection goes on with another token of the same identity and subject, and with
 * what that one permits; subscriptions beyond it are ended.
 */
export async function refresh(
  connection: Connection,
  id: number,
  { token }: CommandBody<'refresh'>,
): Promise<void> {
  if (connection.refreshing) {
    return connection.fail(id, replyErrors.tooManyRequests)
  }
  connection.refreshing = true
  const outcome = await adoptToken(connection, token).finally(() => {
    connection.refreshing = false
  })
  switch (outcome) {
    case 'closed':
      return
    case 'unavailable':
      return connection.fail(id, replyErrors.internal)
    case 'inactive':
    case 'foreign':
      return connection.end(disconnectCodes.invalidToken)
    case 'adopted':
  }
  connection.reply(id, {
    refresh: {
      client: connection.id,
      version: connection.node.version,
      expires: true,
      ttl: announcedTtl(connection.grant.expiresAt),
    },
  })
  const { scopes, subject } = connection.grant
  for (const [channel, { replyTo, release, server }] of [...connection.subscriptions.entries()]) {
    // One with a token of its own stands on that, one of the server API on nothing that changes here;
    // one that awaits its reply looks by itself.
    if (release !== undefined || server?.granted === true) {
      continue
    }
    if (replyTo === undefined && !permitsChannel(scopes, subject, 'subscribe', channel)) {
      connection.subscriptions.end(channel, unsubscribeCodes.serverUnsubscribe)
    }
  }
}
