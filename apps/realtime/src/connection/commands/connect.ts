import { defined } from '@portcullis/contracts/defined'
import {
  type CommandBody,
  type Data,
  disconnectCodes,
  type ReplyError,
  replyErrors,
  type SubscribeResult,
} from '@portcullis/protocol'
import type { HandlerOutcome } from '../handlers.js'
import type { ConnectingSession } from '../session.js'
import { subscribeAll } from '../subscriptions/server-subscribe.js'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'
import { callHandler } from './call-handler.js'

type Body = CommandBody<'connect'>

/**
 * `connect`: the client's first command. The upgrade was admitted already, so another token in the
 * command replaces the upgrade's, as in a refresh. The reply follows once the client is in the
 * channels that the server chooses for it.
 *
 * @param isAdmitted - returns true for the token that the upgrade was admitted with
 */
export async function connect(
  session: ConnectingSession,
  id: number,
  body: Body,
  isAdmitted: (token: string) => boolean,
): Promise<void> {
  const refusal = await takeToken(session, body, isAdmitted)
  if (session.closed) {
    return
  }
  if (refusal !== undefined) {
    return session.finishConnect(id, { error: refusal })
  }
  const { hub, limits } = session.node
  const { connectionsPerUser } = limits
  if (connectionsPerUser !== undefined && hub.countLike(session) > connectionsPerUser) {
    session.end(disconnectCodes.connectionLimit)
    return
  }
  const welcome = await decideWelcome(session, body)
  if (session.closed) {
    return
  }
  if ('error' in welcome) {
    return session.finishConnect(id, { error: welcome.error })
  }
  if ('disconnect' in welcome) {
    return session.end(welcome.disconnect)
  }
  await enter(session, id, body, welcome.result)
}

/** Puts the client into its channels, and sends the reply to `connect`. */
async function enter(
  session: ConnectingSession,
  id: number,
  body: Body,
  { channels, data }: Welcome,
): Promise<void> {
  const { node, codec } = session
  if (channels.length > node.limits.channelsPerConnection) {
    return session.end(disconnectCodes.channelLimit)
  }
  let subs: Record<string, SubscribeResult>
  try {
    subs = await subscribeAll(session, channels, body.subs ?? {})
  } catch {
    // Redis is away. The client tries again, and then is in all of its channels or not connected.
    return session.finishConnect(id, { error: replyErrors.internal })
  }
  if (session.closed) {
    return
  }
  session.finishConnect(id, {
    connect: {
      client: session.id,
      version: node.version,
      expires: true,
      ttl: announcedTtl(session.grant.expiresAt),
      ping: Math.max(1, Math.ceil(node.pingIntervalMs / 1000)),
      pong: true,
      ...session.address,
      ...(data === undefined ? {} : { data: codec.dataValue(data) }),
      ...(channels.length === 0 ? {} : { subs }),
    },
  })
}

/** What a client gets when it connects. */
interface Welcome {
  /** The channels that the server puts the client into, where its token permits them. */
  channels: readonly string[]
  data?: Data
}

/** Returns the configured channels and the application's answer, or the application's refusal. */
async function decideWelcome(
  session: ConnectingSession,
  { data, name, version }: Body,
): Promise<{ result: Welcome } | Exclude<HandlerOutcome, { result: unknown }>> {
  const { node, subject } = session
  const channels = node.channelsFor(subject)
  const { connect: handler } = node.handlers
  if (handler === undefined) {
    return { result: { channels } }
  }
  const answer = await callHandler(session, handler, {
    ...defined({ data, name, version }),
  })
  if (!('result' in answer)) {
    return answer
  }
  const { channels: more = [], ...result } = answer.result
  return { result: { ...result, channels: [...new Set([...channels, ...more])] } }
}

/** Uses the token of the command, if it is not the upgrade's. Returns the error to reply, if any. */
async function takeToken(
  session: ConnectingSession,
  { token = '' }: Body,
  isAdmitted: (token: string) => boolean,
): Promise<ReplyError | undefined> {
  if (token === '' || isAdmitted(token)) {
    return undefined
  }
  const outcome = await adoptToken(session, token)
  if (outcome === 'foreign' || outcome === 'invalid') {
    session.end(disconnectCodes.invalidToken)
  }
  // Error 109 makes the client fetch a new token and try again: the one that it kept is stale.
  if (outcome === 'expired') {
    return replyErrors.tokenExpired
  }
  return outcome === 'unavailable' ? replyErrors.internal : undefined
}
