import { defined } from '@portcullis/contracts/defined'
import {
  type CommandBody,
  type ReplyError,
  readTagFilter,
  rejectUnrecovered,
  replyErrors,
  type StreamPosition,
  type SubscribeResult,
} from '@portcullis/protocol'
import type { SubscriptionOptions } from '../../hub/audience.js'
import type { ChannelOptions } from '../../hub/namespaces.js'
import type { Handler, HandlerResult } from '../handlers.js'
import type { Session } from '../session.js'
import { type Begin, subscribeResult } from '../subscriptions/begin-result.js'
import { missedReader } from '../subscriptions/missed-reader.js'
import type { Subscription } from '../subscriptions/subscriptions.js'
import { permits } from '../tokens.js'
import { announcedTtl } from './announced-ttl.js'
import { callHandler } from './call-handler.js'
import { channelToken } from './channel-token.js'
import { limitInTime } from './limit-in-time.js'

type Body = CommandBody<'subscribe'>

/** `subscribe`: the reply follows once Redis has confirmed that this node gets the channel. */
export async function subscribe(session: Session, id: number, body: Body): Promise<void> {
  const { channel, token = '' } = body
  const { node, subscriptions } = session
  const options = node.optionsOf(channel)
  const refusal = refuse(session, body, options)
  if (refusal !== undefined) {
    return session.fail(id, refusal)
  }
  const subscriptionOptions = readOptions(body, options)
  if (subscriptionOptions === undefined) {
    return session.fail(id, replyErrors.badRequest)
  }
  const subscription: Subscription = { replyTo: id, present: options.presence }
  subscriptions.begin(channel, subscription)
  const expiresAt = token === '' ? undefined : await useToken(session, subscription, body, token)
  if (!subscriptions.isCurrent(channel, subscription)) {
    return
  }
  const handler = node.handlers.subscribe(channel)
  const permission: HandlerResult | undefined =
    handler === undefined ? {} : await askHandler(session, handler, subscription, body)
  if (permission === undefined) {
    return
  }
  const onEnter = (begin: Begin) => {
    const error = refuseEntry(session, subscription, body, begin)
    if (error !== undefined) {
      subscriptions.leave(channel)
      session.fail(id, error)
      return false
    }
    subscription.replyTo = undefined
    session.reply(id, {
      subscribe: {
        ...expiry(expiresAt),
        ...subscribeResult(begin, subscriptionOptions),
        ...(permission.data && { data: session.codec.dataValue(permission.data) }),
      },
    })
    if (permission.expiresAt !== undefined) {
      limitInTime(session, channel, subscription, permission.expiresAt)
    }
    return true
  }
  try {
    await subscriptions.enter(channel, subscription, {
      since: sinceOf(body),
      readMissed: missedReader(session)(channel),
      watches:
        body.join_leave === true ||
        (options.forcePushJoinLeave && permits(session.grant, 'presence', channel)),
      subscriptionOptions,
      onEnter,
    })
  } catch {
    session.fail(id, replyErrors.internal)
  }
}

/** Returns the error that refuses the command at once, or undefined. */
function refuse(
  { node, subscriptions, grant }: Session,
  { channel, type = 0, token = '', join_leave: joinLeave }: Body,
  options: ChannelOptions,
): ReplyError | undefined {
  if (type !== 0) {
    return replyErrors.notAvailable
  }
  if (options.isUnknown) {
    return replyErrors.unknownChannel
  }
  if (token === '' && !permits(grant, 'subscribe', channel)) {
    return replyErrors.permissionDenied
  }
  if (joinLeave === true && options.joinLeave && !permits(grant, 'presence', channel)) {
    return replyErrors.permissionDenied
  }
  if (subscriptions.has(channel)) {
    return replyErrors.alreadySubscribed
  }
  if (subscriptions.size >= node.limits.channelsPerConnection) {
    return replyErrors.limitExceeded
  }
  return undefined
}

/** Returns the error that refuses the subscription in the moment in which it would begin. */
function refuseEntry(
  { grant }: Session,
  { release }: Subscription,
  body: Body,
  begin: Begin,
): ReplyError | undefined {
  if (rejectsUnrecovered(body, begin)) {
    return replyErrors.unrecoverablePosition
  }
  // A refresh may have changed the connection's scopes while Redis was asked.
  if (release === undefined && !permits(grant, 'subscribe', body.channel)) {
    return replyErrors.permissionDenied
  }
  return undefined
}

/**
 * Uses a token of its own for the subscription. Returns when it expires, in Unix milliseconds; ends
 * the subscription and returns undefined when the token is refused.
 */
async function useToken(
  session: Session,
  subscription: Subscription,
  { channel }: Body,
  token: string,
): Promise<number | undefined> {
  const { subscriptions } = session
  const answer = await channelToken(session, channel, token)
  if (!subscriptions.isCurrent(channel, subscription)) {
    return undefined
  }
  if ('grant' in answer) {
    subscriptions.useGrant(channel, subscription, answer.grant)
    return answer.grant.expiresAt
  }
  subscriptions.leave(channel)
  if (subscription.replyTo !== undefined) {
    session.fail(subscription.replyTo, answer.error)
  }
  return undefined
}

/**
 * Asks the application's handler, after the token has been found to permit the subscription. Returns
 * the handler's result; undefined once the subscription has ended, also when that happened while the
 * handler was asked.
 */
async function askHandler(
  session: Session,
  handler: Handler,
  subscription: Subscription,
  { channel, data }: Body,
): Promise<HandlerResult | undefined> {
  const { subscriptions } = session
  const isWanted = () => subscriptions.isCurrent(channel, subscription)
  const answer = await callHandler(
    session,
    handler,
    { channel, ...defined({ data }) },
    { isWanted, grant: subscription.grant ?? session.grant },
  )
  if (!isWanted()) {
    return undefined
  }
  if ('disconnect' in answer) {
    session.end(answer.disconnect)
    return undefined
  }
  const refusal = 'error' in answer ? answer.error : refuseExpired(answer.result)
  if (refusal === undefined && 'result' in answer) {
    return answer.result
  }
  subscriptions.leave(channel)
  if (subscription.replyTo !== undefined && refusal !== undefined) {
    session.fail(subscription.replyTo, refusal)
  }
  return undefined
}

function refuseExpired({ expiresAt = Number.POSITIVE_INFINITY }: HandlerResult) {
  return expiresAt <= Date.now() ? replyErrors.expired : undefined
}

/** Returns the delta and filter options of the command; undefined when the filter is not valid here. */
function readOptions(
  { delta, tf }: Body,
  options: ChannelOptions,
): SubscriptionOptions | undefined {
  if (tf === undefined || tf === null) {
    return { delta: options.delta && delta === 'fossil' }
  }
  const filter = options.tagsFilter ? readTagFilter(tf) : undefined
  // With a filter there are no deltas: few publications would have the same predecessor.
  return filter && { filter }
}

function expiry(expiresAt: number | undefined): SubscribeResult {
  return expiresAt === undefined ? {} : { expires: true, ttl: announcedTtl(expiresAt) }
}

/** Returns true when missed publications are lost, and the client asked to be refused in that case. */
function rejectsUnrecovered({ flag = 0 }: Body, begin: Begin): boolean {
  const lost = begin !== undefined && 'position' in begin && !begin.recovered
  return lost && (flag & rejectUnrecovered) !== 0
}

function sinceOf({ recover = false, offset = 0, epoch = '' }: Body): StreamPosition | undefined {
  return recover ? { offset, epoch } : undefined
}
