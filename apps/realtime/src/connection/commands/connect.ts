import {
  type CommandBody,
  type Content,
  disconnectCodes,
  type ReplyError,
  replyErrors,
  type SubscribeResult,
} from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import type { Answer } from '../handlers.js'
import { subscribeAll } from '../subscriptions/server-subscribe.js'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'
import { ask } from './ask.js'

/**
 * `connect`: the client's first command. The upgrade was admitted already; a token in the command
 * that is another one than the upgrade's is taken as a refresh. It is answered once the client is in
 * the channels that the server chooses for it.
 */
export async function connect(
  connection: Connection,
  id: number,
  body: CommandBody<'connect'>,
): Promise<void> {
  if (connection.state !== 'opened') {
    connection.end(disconnectCodes.badRequest)
    return
  }
  connection.deciding()
  const refusal = await takeToken(connection, body)
  if (connection.closed) {
    return
  }
  if (refusal !== undefined) {
    return connection.decided(id, { error: refusal })
  }
  const { node } = connection
  const { connectionsPerUser, channelsPerConnection } = node.limits
  if (connectionsPerUser !== undefined && node.hub.countLike(connection) > connectionsPerUser) {
    connection.end(disconnectCodes.connectionLimit)
    return
  }
  const welcome = await welcomeOf(connection, body)
  if (connection.closed) {
    return
  }
  if ('error' in welcome) {
    return connection.decided(id, { error: welcome.error })
  }
  if ('disconnect' in welcome) {
    return connection.end(welcome.disconnect)
  }
  const { channels, data } = welcome.result
  if (channels.length > channelsPerConnection) {
    return connection.end(disconnectCodes.channelLimit)
  }
  let subs: Record<string, SubscribeResult>
  try {
    subs = await subscribeAll(connection, channels, body.subs ?? {})
  } catch {
    // Redis is away: the client comes back, and finds itself in all of its channels or not connected.
    return connection.decided(id, { error: replyErrors.internal })
  }
  if (connection.closed) {
    return
  }
  connection.decided(id, {
    connect: {
      client: connection.id,
      version: node.version,
      expires: true,
      ttl: announcedTtl(connection.grant.expiresAt),
      ping: Math.max(1, Math.ceil(node.pingIntervalMs / 1000)),
      pong: true,
      session: connection.id,
      node: node.name,
      ...(data === undefined ? {} : { data: connection.codec.dataOf(data) }),
      ...(channels.length === 0 ? {} : { subs }),
    },
  })
}

/** What a client gets as it connects. */
interface Welcome {
  /** Channels that it is put into, as far as its token permits them. */
  channels: readonly string[]
  data?: Content
}

/** What is configured for the client, and what the application says to it; or why it may not come in. */
async function welcomeOf(
  connection: Connection,
  { data, name, version }: CommandBody<'connect'>,
): Promise<{ result: Welcome } | Exclude<Answer, { result: unknown }>> {
  const { node, subject } = connection
  const channels = node.channelsFor(subject)
  const { connect: handler } = node.handlers
  if (handler === undefined) {
    return { result: { channels } }
  }
  const says = {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  }
  const answer = await ask(connection, handler, { data, ...says })
  if (!('result' in answer)) {
    return answer
  }
  const { channels: more = [], ...result } = answer.result
  return { result: { ...result, channels: [...new Set([...channels, ...more])] } }
}

/** Has the connection stand on the token that the command brings. Gives the error to answer, if it may not. */
async function takeToken(
  connection: Connection,
  { token = '' }: CommandBody<'connect'>,
): Promise<ReplyError | undefined> {
  if (token === '' || connection.isAdmitted(token)) {
    return undefined
  }
  const outcome = await adoptToken(connection, token)
  if (outcome === 'foreign') {
    connection.end(disconnectCodes.invalidToken)
  }
  // 109 makes the client ask for a new token and come back: the one it kept was a stale one.
  if (outcome === 'inactive') {
    return replyErrors.tokenExpired
  }
  return outcome === 'unavailable' ? replyErrors.internal : undefined
}
